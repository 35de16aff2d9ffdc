// next(reader) while records wait in the queue.
#include "functions.hpp"
#include "slots.hpp"

namespace objects {

namespace {

/* QueueSlots.__next__(): reader.py. */
PyObject *next_of_queue(PyObject *self) {
  PyObject *next = QueueSlots::of(self)->slot[kNextQueued];
  if (next != nullptr) {
    const Owned held(Py_NewRef(next));
    PyObject *item = PyObject_CallNoArgs(next);
    if (item != nullptr || PyErr_ExceptionMatches(PyExc_IndexError) == 0) {
      return item;
    }
    PyErr_Clear();
  }
  return PyObject_CallMethod(self, "_advance", nullptr);
}

} // namespace

PyObject *new_queue_slots(PyObject *module) {
  static char doc[] = "What an iterator over a queue needs.";
  return new_class<1>(module, "libmarc._cobjects.QueueSlots", doc, {"_next_queued"},
                      {{Py_tp_iter, slot_function(PyObject_SelfIter)}, {Py_tp_iternext, slot_function(next_of_queue)}});
}

} // namespace objects
