// The functions of Python that do what those here do.
#include "state.hpp"

namespace objects {

PyObject *call_twin(const State &state, const char *name, PyObject *args, PyObject *keywords) {
  const Owned key(PyUnicode_FromString(name));
  PyObject *twin = key && state.twins != nullptr ? PyDict_GetItemWithError(state.twins, key.get()) : nullptr;
  if (twin != nullptr) {
    return PyObject_Call(twin, args, keywords);
  }
  if (PyErr_Occurred() == nullptr) {
    PyErr_Format(PyExc_RuntimeError, "libmarc._cobjects: %s has no twin in Python", name);
  }
  return nullptr;
}

} // namespace objects
