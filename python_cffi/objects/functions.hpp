// What the module consists of. Functions have the twins in Python that are named with them.
#pragma once

#include "state.hpp"

namespace objects {

// records.cpp
PyObject *new_record_slots(PyObject *module);
PyObject *track(PyObject *module, PyObject *record);
PyObject *plain_records(PyObject *module, PyObject *args);

// queue.cpp
PyObject *new_queue_slots(PyObject *module);

// fields.cpp
PyObject *new_field_slots(PyObject *module);
PyObject *with_texts(PyObject *module, PyObject *args);
PyObject *with_values(PyObject *module, PyObject *args);
PyObject *with_subfields(PyObject *module, PyObject *args);
PyObject *read_fields(PyObject *module, PyObject *args);
/* Whether a tag is three ASCII characters that are those of a control field (1), of another field (0), or something
 * else (-1). */
int is_control_tag(PyObject *tag);

// join.cpp
PyObject *join_fields(PyObject *module, PyObject *args);

} // namespace objects
