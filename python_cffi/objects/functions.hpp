// What the module consists of. Functions have the twins in Python that are named with them.
#pragma once

#include "owned.hpp"

namespace objects {

// twins.cpp
PyObject *use_twins(PyObject *, PyObject *functions);
PyObject *call_twin(const char *name, PyObject *args, PyObject *keywords = nullptr);

// records.cpp
PyObject *new_record_slots();
PyObject *use_record(PyObject *, PyObject *record);
PyObject *track(PyObject *, PyObject *record);
PyObject *plain_records(PyObject *, PyObject *args);

// queue.cpp
PyObject *new_queue_slots();

// fields.cpp
PyObject *new_field_slots();
PyObject *use_field(PyObject *, PyObject *args);
PyObject *with_texts(PyObject *, PyObject *args);
PyObject *with_values(PyObject *, PyObject *args);
PyObject *with_subfields(PyObject *, PyObject *args);
PyObject *read_fields(PyObject *, PyObject *args);
/* Whether it is a Field, and of no class derived from it. */
bool is_field(PyObject *object);
/* Whether a tag is three ASCII characters that are those of a control field (1), of another field (0), or something
 * else (-1). */
int is_control_tag(PyObject *tag);

// join.cpp
PyObject *join_fields(PyObject *, PyObject *args);

/* Lets `place` own `value`, and no more what it owned. */
template <typename T> void replace(T *&place, PyObject *value) {
  auto *old = reinterpret_cast<PyObject *>(place);
  place = reinterpret_cast<T *>(Py_NewRef(value));
  Py_XDECREF(old);
}

} // namespace objects
