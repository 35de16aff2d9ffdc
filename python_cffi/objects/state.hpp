// What a module object has to itself: an interpreter may have several, and a process several interpreters.
#pragma once

#include "owned.hpp"

namespace objects {

struct State {
  PyTypeObject *field_slots;
  PyTypeObject *record_slots;
  // What the Python side has given: module.cpp.
  PyTypeObject *field;
  PyTypeObject *subfield;
  PyTypeObject *indicators;
  PyTypeObject *record;
  PyObject *blanks; // Indicators(" ", " ")
  PyObject *twins;  // the functions of Python that do what those here do, by their names
  // Strings that are often needed.
  PyObject *key_tag;
  PyObject *key_indicators;
  PyObject *key_subfields;
  PyObject *key_data;
  PyObject *delimiter;
  PyObject *terminator;

  static State &of(PyObject *module) { return *static_cast<State *>(PyModule_GetState(module)); }
};

/* Calls `each` with each reference. */
template <typename Each> void each_reference(State &state, const Each &each) {
  each(state.field_slots);
  each(state.record_slots);
  each(state.field);
  each(state.subfield);
  each(state.indicators);
  each(state.record);
  each(state.blanks);
  each(state.twins);
  each(state.key_tag);
  each(state.key_indicators);
  each(state.key_subfields);
  each(state.key_data);
  each(state.delimiter);
  each(state.terminator);
}

/* What the function of Python with this name answers. */
PyObject *call_twin(const State &state, const char *name, PyObject *args, PyObject *keywords = nullptr);

} // namespace objects
