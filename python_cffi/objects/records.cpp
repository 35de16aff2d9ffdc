// The records of a batch.
#include "functions.hpp"
#include "slots.hpp"

namespace objects {

namespace {

/* A record of a batch, of whose data `begin` and `end` are offsets (int). */
PyObject *new_plain_record(const State &state, const char *data, PyObject *begin, PyObject *end, PyObject *batch,
                           PyObject *more) {
  const Py_ssize_t from = PyLong_AsSsize_t(begin);
  const Py_ssize_t to = PyLong_AsSsize_t(end);
  if ((from == -1 || to == -1) && PyErr_Occurred() != nullptr) {
    return nullptr;
  }
  Owned raw(PyBytes_FromStringAndSize(data + from, to - from));
  if (!raw) {
    return nullptr;
  }
  PyObject *record = PyType_GenericAlloc(state.record, 0);
  if (record == nullptr) {
    return nullptr;
  }
  PyObject **slot = RecordSlots::of(record)->slot;
  slot[kBatch] = Py_NewRef(batch);
  slot[kMore] = Py_NewRef(more);
  slot[kRaw] = raw.release();
  slot[kStart] = Py_NewRef(begin);
  slot[kFields] = Py_NewRef(Py_None);
  slot[kLeader] = Py_NewRef(Py_None);
  slot[kOdd] = Py_NewRef(Py_None);
  PyObject_GC_UnTrack(record);
  return record;
}

} // namespace

PyObject *new_record_slots(PyObject *module) {
  static char doc[] = "The attributes of a Record.";
  return new_class<9>(module, "libmarc._cobjects.RecordSlots", doc,
                      {"_batch", "_fields", "_leader", "_more", "_odd", "_picked", "_place", "_raw", "_start"});
}

/* track(record): record.py. A record as it was read refers to nothing that could refer to it: Python's collector need
 * not look at it, however many are kept. It has to when the record gets what is the user's. */
PyObject *track(PyObject *module, PyObject *record) {
  if (PyObject_TypeCheck(record, State::of(module).record_slots) != 0 && PyObject_GC_IsTracked(record) == 0) {
    PyObject_GC_Track(record);
  }
  Py_RETURN_NONE;
}

/* plain_records(batch, begin, end, more): reader.py. */
PyObject *plain_records(PyObject *module, PyObject *args) {
  const State &state = State::of(module);
  PyObject *batch = nullptr;
  PyObject *more = nullptr;
  Py_ssize_t begin = 0;
  Py_ssize_t end = 0;
  if (!PyArg_ParseTuple(args, "OnnO", &batch, &begin, &end, &more)) {
    return nullptr;
  }
  Owned address(PyObject_GetAttrString(batch, "address"));
  Owned starts(PyObject_GetAttrString(batch, "starts"));
  Owned ends(PyObject_GetAttrString(batch, "ends"));
  if (!address || !starts || !ends) {
    return nullptr;
  }
  const auto *data = static_cast<const char *>(PyLong_AsVoidPtr(address.get()));
  if (data == nullptr && PyErr_Occurred() != nullptr) {
    return nullptr;
  }
  return list_of(end - begin, [&](Py_ssize_t i) -> PyObject * {
    PyObject *from = PyList_GetItem(starts.get(), begin + i);
    PyObject *to = PyList_GetItem(ends.get(), begin + i);
    return from != nullptr && to != nullptr ? new_plain_record(state, data, from, to, batch, more) : nullptr;
  });
}

} // namespace objects
