/* Records and fields made in C++: the module libmarc._cobjects, for CPython's stable ABI.
 *
 * Everything here has a twin in Python of the same name and signature, marked @fastest, which is the reference: it runs
 * where this module does not (PyPy, free-threaded CPython), and whatever is not ordinary is left to it by call_twin().
 * Only what makes or reads many objects at a time is here; what these objects do stays in Python.
 */
#include "functions.hpp"

namespace {

using namespace objects;

PyMethodDef functions[] = {
    {"use_twins", use_twins, METH_O, "use_twins(functions of Python by their names)"},
    {"use_field", use_field, METH_VARARGS, "use_field(Field, Indicators, blanks)"},
    {"use_record", use_record, METH_O, "use_record(Record)"},
    {"track", track, METH_O, "track(record)"},
    {"plain_records", plain_records, METH_VARARGS, "plain_records(batch, begin, end, more)"},
    {"with_texts", with_texts, METH_VARARGS, "with_texts(shapes, numbers, texts)"},
    {"with_values", with_values, METH_VARARGS, "with_values(shapes, numbers, texts, values)"},
    {"with_subfields", with_subfields, METH_VARARGS, "with_subfields(shapes, numbers, subfields, controls)"},
    {"read_fields", read_fields, METH_VARARGS, "read_fields(tags, texts, with_controls=True)"},
    {"join_fields", join_fields, METH_VARARGS, "join_fields(fields)"},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "libmarc._cobjects",
                          "Records and fields made in C++.",
                          -1,
                          functions,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr};

/* Adds the object to the module. Takes the reference. */
bool add(PyObject *module, const char *name, PyObject *object) {
  const Owned owned(object);
  return owned && PyModule_AddObjectRef(module, name, owned.get()) == 0;
}

} // namespace

PyMODINIT_FUNC PyInit__cobjects() { // NOLINT(bugprone-reserved-identifier): the name that Python looks for
  Owned module(PyModule_Create(&definition));
  if (!module || !add(module.get(), "FieldSlots", new_field_slots()) ||
      !add(module.get(), "RecordSlots", new_record_slots()) || !add(module.get(), "QueueSlots", new_queue_slots())) {
    return nullptr;
  }
  return module.release();
}
