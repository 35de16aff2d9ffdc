// Fields, made one by one by a program, or all of a record.
#include "functions.hpp"
#include "slots.hpp"

namespace objects {

namespace {

enum class Kind { kControlField, kDataField };

/* A field without subfields yet. It takes the reference `text`: the data of a control field, the source of another. */
PyObject *new_field(const State &state, PyObject *tag, PyObject *indicators, Kind kind, PyObject *text) {
  PyObject *field = PyType_GenericAlloc(state.field, 0);
  if (field == nullptr) {
    Py_XDECREF(text);
    return nullptr;
  }
  PyObject **slot = FieldSlots::of(field)->slot;
  const bool is_control = kind == Kind::kControlField;
  slot[kTag] = Py_NewRef(tag);
  slot[kControl] = PyBool_FromLong(is_control ? 1 : 0);
  slot[kData] = is_control ? text : Py_NewRef(Py_None);
  slot[kSource] = is_control ? Py_NewRef(Py_None) : text;
  slot[kIndicators] = Py_NewRef(indicators);
  slot[kValue] = Py_NewRef(Py_None);
  slot[kSubfields] = is_control ? PyList_New(0) : Py_NewRef(Py_None);
  if (slot[kSubfields] == nullptr) {
    Py_DECREF(field);
    return nullptr;
  }
  return field;
}

void set_slot(PyObject *field, FieldSlot number, PyObject *value) {
  PyObject *&place = FieldSlots::of(field)->slot[number];
  PyObject *old = std::exchange(place, value);
  Py_XDECREF(old);
}

/* Of a field: its tag, its indicators, and how many subfields it has (field.py: Shape). Borrowed. */
struct Shape {
  PyObject *tag;
  PyObject *indicators;
  PyObject *size;

  Kind kind() const { return indicators == Py_None ? Kind::kControlField : Kind::kDataField; }
};

PyObject *new_field(const State &state, const Shape &shape, PyObject *text) {
  return new_field(state, shape.tag, shape.indicators, shape.kind(), text);
}

/* The shape whose number stands at `at` in `numbers`. False: an exception is set. */
bool read_shape(PyObject *shapes, PyObject *numbers, Py_ssize_t at, Shape *out) {
  PyObject *number = PyList_GetItem(numbers, at);
  PyObject *shape = number != nullptr ? PyList_GetItem(shapes, PyLong_AsSsize_t(number)) : nullptr;
  if (shape == nullptr) {
    return false;
  }
  out->tag = PyTuple_GetItem(shape, 0);
  out->indicators = PyTuple_GetItem(shape, 1);
  out->size = PyTuple_GetItem(shape, 2);
  return out->size != nullptr;
}

/* A list of fields with these shapes, of which `make(number, shape)` makes each. */
template <typename Make> PyObject *list_of_fields(PyObject *shapes, PyObject *numbers, const Make &make) {
  return list_of(PyList_Size(numbers), [&](Py_ssize_t i) -> PyObject * {
    Shape shape{};
    return read_shape(shapes, numbers, i, &shape) ? make(i, shape) : nullptr;
  });
}

/* The arguments of a Field, borrowed; nullptr where one was not given. */
struct FieldArguments {
  PyObject *tag = nullptr;
  PyObject *indicators = nullptr;
  PyObject *subfields = nullptr;
  PyObject *data = nullptr;

  /* False where they are not these. */
  bool read(const State &state, PyObject *args, PyObject *keywords) {
    PyObject **const all[] = {&tag, &indicators, &subfields, &data};
    const Py_ssize_t given = PyTuple_Size(args);
    if (given > 4) {
      return false;
    }
    for (Py_ssize_t i = 0; i < given; ++i) {
      *all[i] = PyTuple_GetItem(args, i);
    }
    if (keywords == nullptr) {
      return true;
    }
    PyObject *const names[] = {state.key_tag, state.key_indicators, state.key_subfields, state.key_data};
    Py_ssize_t named = 0;
    for (Py_ssize_t i = given; i < 4; ++i) {
      *all[i] = PyDict_GetItemWithError(keywords, names[i]);
      named += *all[i] != nullptr ? 1 : 0;
    }
    return named == PyDict_Size(keywords);
  }
};

bool is_given(PyObject *object) { return object != nullptr && object != Py_None; }

/* Whether `subfields` is None or a list that does not begin with a str: those are pymarc 4's, which the twin refuses. */
bool are_subfields(PyObject *subfields) {
  if (!is_given(subfields)) {
    return true;
  }
  return PyList_CheckExact(subfields) &&
         (PyList_Size(subfields) == 0 || PyUnicode_Check(PyList_GetItem(subfields, 0)) == 0);
}

/* The state of the module that a field's class comes from; nullptr with an exception if it is of no such class. */
const State *state_of(PyObject *field) {
  PyTypeObject *type = Py_TYPE(field);
  do { // the class itself is one of Python, and so are those derived from it
    type = static_cast<PyTypeObject *>(PyType_GetSlot(type, Py_tp_base));
    if (type == nullptr) {
      return nullptr;
    }
    PyErr_Clear();
  } while (PyType_GetModule(type) == nullptr);
  return static_cast<State *>(PyType_GetModuleState(type));
}

/* What Python's __init__ does with the field. */
int init_by_twin(const State &state, PyObject *self, PyObject *args, PyObject *keywords) {
  const Py_ssize_t count = PyTuple_Size(args);
  Owned all(PyTuple_New(count + 1));
  if (!all) {
    return -1;
  }
  PyTuple_SetItem(all.get(), 0, Py_NewRef(self));
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyTuple_SetItem(all.get(), i + 1, Py_NewRef(PyTuple_GetItem(args, i)));
  }
  const Owned none(call_twin(state, "FieldSlots", all.get(), keywords));
  return none ? 0 : -1;
}

/* FieldSlots.__init__(tag, indicators, subfields, data): field.py. (A class derived from Field may have attributes in
 * the place of slots.) */
int init_field(PyObject *self, PyObject *args, PyObject *keywords) {
  const State *found = state_of(self);
  if (found == nullptr) {
    return -1;
  }
  const State &state = *found;
  FieldArguments given;
  const bool is_read = Py_TYPE(self) == state.field && given.read(state, args, keywords) && given.tag != nullptr;
  const int control = is_read ? is_control_tag(given.tag) : -1;
  if (control < 0 || !are_subfields(given.subfields) ||
      (is_given(given.indicators) && Py_TYPE(given.indicators) != state.indicators)) {
    PyErr_Clear();
    return init_by_twin(state, self, args, keywords);
  }
  const bool is_control = control == 1;
  // An empty list is not kept either: the field has one of its own.
  const bool keeps = !is_control && is_given(given.subfields) && PyList_Size(given.subfields) > 0;
  PyObject *subfields = keeps ? Py_NewRef(given.subfields) : PyList_New(0);
  if (subfields == nullptr) {
    return -1;
  }
  PyObject *indicators = is_control ? Py_None : is_given(given.indicators) ? given.indicators : state.blanks;
  set_slot(self, kSubfields, subfields);
  set_slot(self, kTag, Py_NewRef(given.tag));
  set_slot(self, kControl, PyBool_FromLong(is_control ? 1 : 0));
  set_slot(self, kIndicators, Py_NewRef(indicators));
  set_slot(self, kData, Py_NewRef(is_control && given.data != nullptr ? given.data : Py_None));
  set_slot(self, kSource, Py_NewRef(Py_None));
  set_slot(self, kValue, Py_NewRef(Py_None));
  return 0;
}

} // namespace

PyObject *new_field_slots(PyObject *module) {
  static char doc[] = "FieldSlots(tag, indicators=None, subfields=None, data=None)\n--\n\nThe attributes of a Field.";
  return new_class<9>(
      module, "libmarc._cobjects.FieldSlots", doc,
      {"tag", "control_field", "data", "_indicators", "_subfields", "_source", "_number", "_value", "_position"},
      {{Py_tp_init, slot_function(init_field)}});
}

int is_control_tag(PyObject *tag) {
  Py_ssize_t size = 0;
  const char *text = PyUnicode_CheckExact(tag) ? PyUnicode_AsUTF8AndSize(tag, &size) : nullptr;
  if (text == nullptr || size != 3 || PyUnicode_GetLength(tag) != 3) {
    PyErr_Clear();
    return -1;
  }
  return text[0] == '0' && text[1] == '0' && '0' <= text[2] && text[2] <= '9' ? 1 : 0;
}

/* with_texts(shapes, numbers, texts): _batch_fields.py. */
PyObject *with_texts(PyObject *module, PyObject *args) {
  const State &state = State::of(module);
  PyObject *shapes = nullptr;
  PyObject *numbers = nullptr;
  PyObject *texts = nullptr;
  if (!PyArg_ParseTuple(args, "OO!O!", &shapes, &PyList_Type, &numbers, &PyList_Type, &texts)) {
    return nullptr;
  }
  return list_of_fields(shapes, numbers, [&](Py_ssize_t i, const Shape &shape) -> PyObject * {
    PyObject *text = PyList_GetItem(texts, i);
    return text != nullptr ? new_field(state, shape, Py_NewRef(text)) : nullptr;
  });
}

/* with_values(shapes, numbers, texts, values): _batch_fields.py. */
PyObject *with_values(PyObject *module, PyObject *args) {
  const State &state = State::of(module);
  PyObject *shapes = nullptr;
  PyObject *numbers = nullptr;
  PyObject *texts = nullptr;
  PyObject *values = nullptr;
  if (!PyArg_ParseTuple(args, "OO!OO!", &shapes, &PyList_Type, &numbers, &texts, &PyList_Type, &values)) {
    return nullptr;
  }
  return list_of_fields(shapes, numbers, [&](Py_ssize_t i, const Shape &shape) -> PyObject * {
    PyObject *value = PyList_GetItem(values, i);
    if (value == nullptr) {
      return nullptr;
    }
    if (shape.kind() == Kind::kControlField) {
      return new_field(state, shape, Py_NewRef(value));
    }
    Owned field(new_field(state, shape, Py_NewRef(texts)));
    PyObject *number = field ? PyLong_FromSsize_t(i) : nullptr;
    if (number == nullptr) {
      return nullptr;
    }
    set_slot(field.get(), kNumber, number);
    set_slot(field.get(), kValue, Py_NewRef(value));
    return field.release();
  });
}

/* with_subfields(shapes, numbers, subfields, controls): _batch_fields.py. */
PyObject *with_subfields(PyObject *module, PyObject *args) {
  const State &state = State::of(module);
  PyObject *shapes = nullptr;
  PyObject *numbers = nullptr;
  PyObject *subfields = nullptr;
  PyObject *controls = nullptr;
  if (!PyArg_ParseTuple(args, "OO!O!O!", &shapes, &PyList_Type, &numbers, &PyList_Type, &subfields, &PyList_Type,
                        &controls)) {
    return nullptr;
  }
  Py_ssize_t next_control = 0;
  Py_ssize_t begin = 0;
  return list_of_fields(shapes, numbers, [&](Py_ssize_t, const Shape &shape) -> PyObject * {
    if (shape.kind() == Kind::kControlField) {
      PyObject *data = PyList_GetItem(controls, next_control++);
      return data != nullptr ? new_field(state, shape, Py_NewRef(data)) : nullptr;
    }
    const Py_ssize_t size = PyLong_AsSsize_t(shape.size);
    if (size < 0) {
      return nullptr;
    }
    const Py_ssize_t end = begin + size;
    Owned field(new_field(state, shape, Py_NewRef(Py_None)));
    PyObject *own = field ? PyList_GetSlice(subfields, begin, end) : nullptr;
    if (own == nullptr) {
      return nullptr;
    }
    set_slot(field.get(), kSubfields, own);
    begin = end;
    return field.release();
  });
}

/* read_fields(tags, texts, with_controls): field.py. (`with_controls` only saves the twin a look at each tag.) */
PyObject *read_fields(PyObject *module, PyObject *args) {
  const State &state = State::of(module);
  PyObject *tags = nullptr;
  PyObject *texts = nullptr;
  PyObject *with_controls = Py_True;
  if (!PyArg_ParseTuple(args, "O!O!|O", &PyList_Type, &tags, &PyList_Type, &texts, &with_controls)) {
    return nullptr;
  }
  const Py_ssize_t of_tags = PyList_Size(tags);
  const Py_ssize_t of_texts = PyList_Size(texts);
  const Py_ssize_t count = of_tags < of_texts ? of_tags : of_texts;
  return list_of(count, [&](Py_ssize_t i) {
    PyObject *tag = PyList_GetItem(tags, i);
    const Kind kind = is_control_tag(tag) == 1 ? Kind::kControlField : Kind::kDataField;
    return new_field(state, tag, Py_None, kind, Py_NewRef(PyList_GetItem(texts, i)));
  });
}

} // namespace objects
