// Fields as they are written.
#include "functions.hpp"
#include "slots.hpp"

#include <algorithm>
#include <string_view>

namespace objects {

namespace {

using namespace std::literals;

/* Strings, to be joined. Only those that are of the class str itself: others may want to be written in another way. */
class Pieces {
public:
  Pieces() : list_(PyList_New(0)) {}

  bool add(PyObject *text) {
    return list_ && text != nullptr && PyUnicode_CheckExact(text) && PyList_Append(list_.get(), text) == 0;
  }

  /* All of them in one, in UTF-8. nullptr: an exception is set. */
  PyObject *join() const {
    const Owned empty(PyUnicode_FromString(""));
    const Owned text(empty ? PyUnicode_Join(empty.get(), list_.get()) : nullptr);
    return text ? PyUnicode_AsUTF8String(text.get()) : nullptr;
  }

private:
  Owned list_;
};

/* Whether it is a tuple of two, or of the class `type`, which is a NamedTuple. */
bool is_pair(PyObject *pair, PyTypeObject *type) {
  return pair != nullptr && (Py_TYPE(pair) == type || PyTuple_CheckExact(pair)) && PyTuple_Size(pair) == 2;
}

/* Adds a field as it is written, without its terminator. False where that is left to the twin. */
bool add_field(const State &state, Pieces &contents, PyObject *field, bool *keeps_text) {
  PyObject *const *slot = FieldSlots::of(field)->slot;
  PyObject *subfields = slot[kSubfields];
  PyObject *indicators = slot[kIndicators];
  if (subfields == Py_None) {
    *keeps_text = true;
    return contents.add(slot[kSource]);
  }
  if (subfields == nullptr || !PyList_CheckExact(subfields)) {
    return false;
  }
  if (slot[kControl] == Py_True) {
    return contents.add(slot[kData]);
  }
  if (slot[kControl] != Py_False || !is_pair(indicators, state.indicators) ||
      !contents.add(PyTuple_GetItem(indicators, 0)) || !contents.add(PyTuple_GetItem(indicators, 1))) {
    return false;
  }
  for (Py_ssize_t i = 0; i < PyList_Size(subfields); ++i) {
    PyObject *subfield = PyList_GetItem(subfields, i);
    if (!is_pair(subfield, state.subfield) || !contents.add(state.delimiter) ||
        !contents.add(PyTuple_GetItem(subfield, 0)) || !contents.add(PyTuple_GetItem(subfield, 1))) {
      return false;
    }
  }
  return true;
}

std::string_view view_of(PyObject *bytes) {
  return {PyBytes_AsString(bytes), static_cast<size_t>(PyBytes_Size(bytes))};
}

/* Whether contents that were joined can be told apart again: no field holds a terminator itself. If one kept its text,
 * there must also be no subfield without a code, since that is not written. */
bool are_plain(std::string_view contents, Py_ssize_t count, bool keeps_text) {
  if (std::count(contents.begin(), contents.end(), '\x1e') >= std::max<Py_ssize_t>(count, 1)) {
    return false;
  }
  return !keeps_text || (contents.find("\x1f\x1f"sv) == contents.npos && contents.find("\x1f\x1e"sv) == contents.npos &&
                         !contents.ends_with('\x1f'));
}

/* Tags and contents of these fields. Nothing, and perhaps an exception, where that is left to the twin. */
Owned joined(const State &state, PyObject *fields) {
  Pieces tags;
  Pieces contents;
  bool keeps_text = false;
  const Py_ssize_t count = PyList_Size(fields);
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject *field = PyList_GetItem(fields, i);
    if (Py_TYPE(field) != state.field) {
      return Owned();
    }
    PyObject *tag = FieldSlots::of(field)->slot[kTag];
    if (tag == nullptr || is_control_tag(tag) < 0 || !tags.add(tag) || (i > 0 && !contents.add(state.terminator)) ||
        !add_field(state, contents, field, &keeps_text)) {
      return Owned();
    }
  }
  const Owned first(tags.join());
  const Owned second(first ? contents.join() : nullptr);
  const bool is_done = second && are_plain(view_of(second.get()), count, keeps_text);
  return Owned(is_done ? PyTuple_Pack(2, first.get(), second.get()) : nullptr);
}

} // namespace

/* join_fields(fields): _iso2709.py. No code of Python runs while the fields are looked at: they stay as they are. */
PyObject *join_fields(PyObject *module, PyObject *args) {
  const State &state = State::of(module);
  PyObject *fields = nullptr;
  if (!PyArg_ParseTuple(args, "O", &fields)) {
    return nullptr;
  }
  if (PyList_CheckExact(fields)) {
    Owned pair = joined(state, fields);
    if (pair) {
      return pair.release();
    }
    PyErr_Clear();
  }
  return call_twin(state, "join_fields", args);
}

} // namespace objects
