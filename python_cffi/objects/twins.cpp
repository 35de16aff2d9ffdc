// The functions of Python that do what those here do.
#include "functions.hpp"

namespace objects {

namespace {
PyObject *twins; // by their names
} // namespace

PyObject *use_twins(PyObject *, PyObject *functions) {
  if (PyDict_Check(functions) == 0) {
    PyErr_SetString(PyExc_TypeError, "a dict is expected");
    return nullptr;
  }
  replace(twins, functions);
  Py_RETURN_NONE;
}

/* What the function of Python with this name answers. */
PyObject *call_twin(const char *name, PyObject *args, PyObject *keywords) {
  const Owned key(PyUnicode_FromString(name));
  PyObject *twin = key && twins != nullptr ? PyDict_GetItemWithError(twins, key.get()) : nullptr;
  if (twin != nullptr) {
    return PyObject_Call(twin, args, keywords);
  }
  if (PyErr_Occurred() == nullptr) {
    PyErr_Format(PyExc_RuntimeError, "libmarc._cobjects: %s has no twin in Python", name);
  }
  return nullptr;
}

} // namespace objects
