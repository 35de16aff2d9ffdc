// Classes whose attributes are slots.
#pragma once

#include "owned.hpp"

#include <structmember.h>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <vector>

namespace objects {

/* The layout of a class whose attributes are `Count` slots: what __slots__ gives a class of Python. */
template <int Count> struct Slots {
  PyObject_HEAD PyObject *slot[Count];

  static Slots *of(PyObject *self) { return reinterpret_cast<Slots *>(self); }
  static int offset(int number) {
    return static_cast<int>(offsetof(Slots, slot)) + number * static_cast<int>(sizeof(PyObject *));
  }
  static int traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    for (PyObject *value : of(self)->slot) {
      Py_VISIT(value);
    }
    return 0;
  }
  static int clear(PyObject *self) {
    for (PyObject *&value : of(self)->slot) {
      Py_CLEAR(value);
    }
    return 0;
  }
  static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    clear(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
  }
};

using FieldSlots = Slots<9>;
enum FieldSlot { kTag, kControl, kData, kIndicators, kSubfields, kSource, kNumber, kValue, kPosition };

using RecordSlots = Slots<9>;
enum RecordSlot { kBatch, kFields, kLeader, kMore, kOdd, kPicked, kPlace, kRaw, kStart };

using QueueSlots = Slots<1>;
enum QueueSlot { kNextQueued };

template <typename Function> void *slot_function(Function *function) { return reinterpret_cast<void *>(function); }

/* A new class with these slots, by the names of its attributes, and what else it has. nullptr: an exception is set. */
template <int Count>
PyObject *new_class(PyObject *module, const char *name, char *doc, const std::array<const char *, Count> &attributes,
                    std::initializer_list<PyType_Slot> more = {}) {
  using S = Slots<Count>;
  std::array<PyMemberDef, Count + 1> members{}; // the last one is the end
  for (int i = 0; i < Count; ++i) {
    members[static_cast<size_t>(i)] = {attributes[static_cast<size_t>(i)], T_OBJECT_EX, S::offset(i), 0, nullptr};
  }
  std::vector<PyType_Slot> all = {
      {Py_tp_doc, doc},
      {Py_tp_members, members.data()},
      {Py_tp_traverse, slot_function(S::traverse)},
      {Py_tp_clear, slot_function(S::clear)},
      {Py_tp_dealloc, slot_function(S::dealloc)},
  };
  all.insert(all.end(), more);
  all.push_back({0, nullptr});
  PyType_Spec spec = {name, sizeof(S), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, all.data()};
  return PyType_FromModuleAndSpec(module, &spec, nullptr); // copies all of it
}

} // namespace objects
