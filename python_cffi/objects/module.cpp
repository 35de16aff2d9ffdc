/* Records and fields made in C++: the module libmarc._cobjects, for CPython's stable ABI.
 *
 * Everything here has a twin in Python of the same name and signature, marked @fastest, which is the reference: it runs
 * where this module does not (PyPy, free-threaded CPython), and whatever is not ordinary is left to it by call_twin().
 * Only what makes or reads many objects at a time is here; what these objects do stays in Python.
 */
#include "functions.hpp"

namespace {

using namespace objects;

/* Lets `place` own `value`, and no more what it owned. */
template <typename T> void replace(T *&place, PyObject *value) {
  auto *old = reinterpret_cast<PyObject *>(place);
  place = reinterpret_cast<T *>(Py_XNewRef(value));
  Py_XDECREF(old);
}

bool is_derived(PyObject *type, PyTypeObject *base) {
  if (PyType_IsSubtype(reinterpret_cast<PyTypeObject *>(type), base) == 0) {
    PyErr_SetString(PyExc_TypeError, "the class is not derived from its slots");
    return false;
  }
  return true;
}

PyObject *use_twins(PyObject *module, PyObject *args) {
  PyObject *twins = nullptr;
  if (!PyArg_ParseTuple(args, "O!", &PyDict_Type, &twins)) {
    return nullptr;
  }
  replace(State::of(module).twins, twins);
  Py_RETURN_NONE;
}

PyObject *use_field(PyObject *module, PyObject *args) {
  State &state = State::of(module);
  PyObject *field = nullptr;
  PyObject *subfield = nullptr;
  PyObject *indicators = nullptr;
  PyObject *blanks = nullptr;
  if (!PyArg_ParseTuple(args, "O!O!O!O", &PyType_Type, &field, &PyType_Type, &subfield, &PyType_Type, &indicators,
                        &blanks) ||
      !is_derived(field, state.field_slots)) {
    return nullptr;
  }
  replace(state.field, field);
  replace(state.subfield, subfield);
  replace(state.indicators, indicators);
  replace(state.blanks, blanks);
  Py_RETURN_NONE;
}

PyObject *use_record(PyObject *module, PyObject *args) {
  State &state = State::of(module);
  PyObject *record = nullptr;
  if (!PyArg_ParseTuple(args, "O!", &PyType_Type, &record) || !is_derived(record, state.record_slots)) {
    return nullptr;
  }
  replace(state.record, record);
  Py_RETURN_NONE;
}

PyMethodDef functions[] = {
    {"use_twins", use_twins, METH_VARARGS, "use_twins(functions of Python by their names)"},
    {"use_field", use_field, METH_VARARGS, "use_field(Field, Subfield, Indicators, blanks)"},
    {"use_record", use_record, METH_VARARGS, "use_record(Record)"},
    {"track", track, METH_O, "track(record)"},
    {"plain_records", plain_records, METH_VARARGS, "plain_records(batch, begin, end, more)"},
    {"with_texts", with_texts, METH_VARARGS, "with_texts(shapes, numbers, texts)"},
    {"with_values", with_values, METH_VARARGS, "with_values(shapes, numbers, texts, values)"},
    {"with_subfields", with_subfields, METH_VARARGS, "with_subfields(shapes, numbers, subfields, controls)"},
    {"read_fields", read_fields, METH_VARARGS, "read_fields(tags, texts, with_controls=True)"},
    {"join_fields", join_fields, METH_VARARGS, "join_fields(fields)"},
    {nullptr, nullptr, 0, nullptr},
};

/* Adds the object to the module. Takes the reference. */
bool add(PyObject *module, const char *name, PyObject *object) {
  const Owned owned(object);
  return owned && PyModule_AddObjectRef(module, name, owned.get()) == 0;
}

/* Adds a class, and keeps it in `place`. Takes the reference. */
bool add(PyObject *module, const char *name, PyObject *type, PyTypeObject *&place) {
  replace(place, type);
  return add(module, name, type);
}

int fill(PyObject *module) {
  State &state = State::of(module);
  state.key_tag = PyUnicode_InternFromString("tag");
  state.key_indicators = PyUnicode_InternFromString("indicators");
  state.key_subfields = PyUnicode_InternFromString("subfields");
  state.key_data = PyUnicode_InternFromString("data");
  state.delimiter = PyUnicode_FromString("\x1f");
  state.terminator = PyUnicode_FromString("\x1e");
  const bool has_strings = state.key_tag != nullptr && state.key_indicators != nullptr &&
                           state.key_subfields != nullptr && state.key_data != nullptr && state.delimiter != nullptr &&
                           state.terminator != nullptr;
  const bool is_filled = has_strings && add(module, "FieldSlots", new_field_slots(module), state.field_slots) &&
                         add(module, "RecordSlots", new_record_slots(module), state.record_slots) &&
                         add(module, "QueueSlots", new_queue_slots(module));
  return is_filled ? 0 : -1;
}

int traverse(PyObject *module, visitproc visit, void *arg) {
  int result = 0;
  each_reference(State::of(module), [&](auto *reference) {
    if (reference != nullptr && result == 0) {
      result = visit(reinterpret_cast<PyObject *>(reference), arg);
    }
  });
  return result;
}

int clear(PyObject *module) {
  each_reference(State::of(module), [](auto *&reference) { replace(reference, nullptr); });
  return 0;
}

void release(void *module) { clear(static_cast<PyObject *>(module)); }

PyModuleDef_Slot slots[] = {{Py_mod_exec, reinterpret_cast<void *>(fill)}, {0, nullptr}};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "libmarc._cobjects",
                          "Records and fields made in C++.",
                          sizeof(State),
                          functions,
                          slots,
                          traverse,
                          clear,
                          release};

} // namespace

PyMODINIT_FUNC PyInit__cobjects() { // NOLINT(bugprone-reserved-identifier): the name that Python looks for
  return PyModuleDef_Init(&definition);
}
