/* Records and fields made in C++: the module libmarc._cobjects, for CPython's stable ABI.
 *
 * Everything here has a twin in Python of the same name and signature, marked @fastest, which is the reference: it runs
 * where this module does not (PyPy, free-threaded CPython), and whatever is not ordinary is left to it by call_twin().
 * Only what makes or reads many objects at a time is here; what these objects do stays in Python.
 */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030A0000
#include <Python.h>
#include <structmember.h>

#include <cstddef>
#include <cstring>
#include <utility>

namespace {

// ---- references ------------------------------------------------------------------------------------------------

/* A reference that is owned. nullptr: the call that should have given it has set an exception. */
class Owned {
public:
  explicit Owned(PyObject *object = nullptr) : object_(object) {}
  Owned(Owned &&other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Owned(const Owned &) = delete;
  Owned &operator=(const Owned &) = delete;
  Owned &operator=(Owned &&) = delete;
  ~Owned() { Py_XDECREF(object_); }

  explicit operator bool() const { return object_ != nullptr; }
  PyObject *get() const { return object_; }
  PyObject *release() { return std::exchange(object_, nullptr); }

private:
  PyObject *object_;
};

// ---- objects with slots ----------------------------------------------------------------------------------------

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

PyMemberDef slot_of(const char *name, int offset) { return {name, T_OBJECT_EX, offset, 0, nullptr}; }
PyMemberDef no_more_slots() { return {nullptr, 0, 0, 0, nullptr}; }

using FieldSlots = Slots<9>;
enum FieldSlot { kTag, kControl, kData, kIndicators, kSubfields, kSource, kNumber, kValue, kPosition };

using RecordSlots = Slots<9>;
enum RecordSlot { kBatch, kFields, kLeader, kMore, kOdd, kPicked, kPlace, kRaw, kStart };

// ---- what the Python side has given ------------------------------------------------------------------------------

PyObject *twins; // functions of Python, by the names of those here
PyTypeObject *field_type;
PyTypeObject *record_type;
PyTypeObject *record_slots;
PyTypeObject *indicators_type;
PyObject *blanks; // Indicators(" ", " ")
PyObject *key_tag;
PyObject *key_indicators;
PyObject *key_subfields;
PyObject *key_data;

/* What the function of Python with this name answers. */
PyObject *call_twin(const char *name, PyObject *args, PyObject *keywords = nullptr) {
  const Owned key(PyUnicode_FromString(name));
  PyObject *twin = key && twins != nullptr ? PyDict_GetItemWithError(twins, key.get()) : nullptr;
  if (twin != nullptr) {
    return PyObject_Call(twin, args, keywords);
  }
  if (PyErr_Occurred() == nullptr) {
    PyErr_Format(PyExc_RuntimeError, "libmarc._cobjects: %s has no twin in Python", name);
  }
  return nullptr;
}

template <typename T> void replace(T *&place, PyObject *value) {
  auto *old = reinterpret_cast<PyObject *>(place);
  place = reinterpret_cast<T *>(Py_NewRef(value));
  Py_XDECREF(old);
}

PyObject *use_field(PyObject *, PyObject *args) {
  PyObject *field = nullptr;
  PyObject *indicators = nullptr;
  PyObject *blank = nullptr;
  if (!PyArg_ParseTuple(args, "O!O!O", &PyType_Type, &field, &PyType_Type, &indicators, &blank)) {
    return nullptr;
  }
  replace(field_type, field);
  replace(indicators_type, indicators);
  replace(blanks, blank);
  Py_RETURN_NONE;
}

PyObject *use_twins(PyObject *, PyObject *given) {
  if (PyDict_Check(given) == 0) {
    PyErr_SetString(PyExc_TypeError, "a dict is expected");
    return nullptr;
  }
  replace(twins, given);
  Py_RETURN_NONE;
}

PyObject *use_record(PyObject *, PyObject *record) {
  if (!PyType_Check(record)) {
    PyErr_SetString(PyExc_TypeError, "a class is expected");
    return nullptr;
  }
  replace(record_type, record);
  Py_RETURN_NONE;
}

// ---- records ---------------------------------------------------------------------------------------------------

/* track(record): record.py. A record as it was read refers to nothing that could refer to it: Python's collector need
 * not look at it, however many are kept. It has to when the record gets what is the user's. */
PyObject *track(PyObject *, PyObject *record) {
  if (PyObject_TypeCheck(record, record_slots) != 0 && PyObject_GC_IsTracked(record) == 0) {
    PyObject_GC_Track(record);
  }
  Py_RETURN_NONE;
}

/* A record of a batch, of whose data `begin` and `end` are offsets (int). */
PyObject *new_plain_record(const char *data, PyObject *begin, PyObject *end, PyObject *batch, PyObject *more) {
  const Py_ssize_t from = PyLong_AsSsize_t(begin);
  const Py_ssize_t to = PyLong_AsSsize_t(end);
  if ((from == -1 || to == -1) && PyErr_Occurred() != nullptr) {
    return nullptr;
  }
  Owned raw(PyBytes_FromStringAndSize(data + from, to - from));
  if (!raw) {
    return nullptr;
  }
  PyObject *record = PyType_GenericAlloc(record_type, 0);
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

/* plain_records(batch, begin, end, more): reader.py. */
PyObject *plain_records(PyObject *, PyObject *args) {
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
  Owned records(PyList_New(end - begin));
  for (Py_ssize_t i = begin; records && i < end; ++i) {
    PyObject *from = PyList_GetItem(starts.get(), i);
    PyObject *to = PyList_GetItem(ends.get(), i);
    PyObject *record = from != nullptr && to != nullptr ? new_plain_record(data, from, to, batch, more) : nullptr;
    if (record == nullptr) {
      return nullptr;
    }
    PyList_SetItem(records.get(), i - begin, record);
  }
  return records.release();
}

// ---- the queue of a reader ----------------------------------------------------------------------------------------

using QueueSlots = Slots<1>;
enum QueueSlot { kNextQueued };

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

// ---- fields ----------------------------------------------------------------------------------------------------

enum class Kind { kControlField, kDataField };

/* A field without subfields yet. It takes the reference `text`: the data of a control field, the source of another. */
PyObject *new_field(PyObject *tag, Kind kind, PyObject *text) {
  PyObject *field = PyType_GenericAlloc(field_type, 0);
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
  slot[kIndicators] = Py_NewRef(Py_None);
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

/* A list of `count` fields, of which `make(number, shape)` makes each. */
template <typename Make> PyObject *list_of_fields(PyObject *shapes, PyObject *numbers, const Make &make) {
  const Py_ssize_t count = PyList_Size(numbers);
  Owned fields(count >= 0 ? PyList_New(count) : nullptr);
  for (Py_ssize_t i = 0; fields && i < count; ++i) {
    Shape shape{};
    PyObject *field = read_shape(shapes, numbers, i, &shape) ? make(i, shape) : nullptr;
    if (field == nullptr) {
      return nullptr;
    }
    if (shape.kind() == Kind::kDataField) {
      set_slot(field, kIndicators, Py_NewRef(shape.indicators));
    }
    PyList_SetItem(fields.get(), i, field);
  }
  return fields.release();
}

/* with_texts(shapes, numbers, texts): _batch_fields.py. */
PyObject *with_texts(PyObject *, PyObject *args) {
  PyObject *shapes = nullptr;
  PyObject *numbers = nullptr;
  PyObject *texts = nullptr;
  if (!PyArg_ParseTuple(args, "OO!O!", &shapes, &PyList_Type, &numbers, &PyList_Type, &texts)) {
    return nullptr;
  }
  return list_of_fields(shapes, numbers, [&](Py_ssize_t i, const Shape &shape) -> PyObject * {
    PyObject *text = PyList_GetItem(texts, i);
    return text != nullptr ? new_field(shape.tag, shape.kind(), Py_NewRef(text)) : nullptr;
  });
}

/* with_values(shapes, numbers, texts, values): _batch_fields.py. */
PyObject *with_values(PyObject *, PyObject *args) {
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
      return new_field(shape.tag, shape.kind(), Py_NewRef(value));
    }
    Owned field(new_field(shape.tag, shape.kind(), Py_NewRef(texts)));
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
PyObject *with_subfields(PyObject *, PyObject *args) {
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
      return data != nullptr ? new_field(shape.tag, shape.kind(), Py_NewRef(data)) : nullptr;
    }
    const Py_ssize_t end = begin + PyLong_AsSsize_t(shape.size);
    Owned field(new_field(shape.tag, shape.kind(), Py_NewRef(Py_None)));
    PyObject *own = field ? PyList_GetSlice(subfields, begin, end) : nullptr;
    if (own == nullptr) {
      return nullptr;
    }
    set_slot(field.get(), kSubfields, own);
    begin = end;
    return field.release();
  });
}

/* Whether a tag is three ASCII characters that are those of a control field (1), of another field (0), or something
 * else (-1). */
int is_control_tag(PyObject *tag) {
  Py_ssize_t size = 0;
  const char *text = PyUnicode_Check(tag) != 0 ? PyUnicode_AsUTF8AndSize(tag, &size) : nullptr;
  if (text == nullptr || size != 3 || PyUnicode_GetLength(tag) != 3) {
    PyErr_Clear();
    return -1;
  }
  return text[0] == '0' && text[1] == '0' && '0' <= text[2] && text[2] <= '9' ? 1 : 0;
}

/* read_fields(tags, texts, with_controls): field.py. (`with_controls` only saves the twin a look at each tag.) */
PyObject *read_fields(PyObject *, PyObject *args) {
  PyObject *tags = nullptr;
  PyObject *texts = nullptr;
  PyObject *with_controls = Py_True;
  if (!PyArg_ParseTuple(args, "O!O!|O", &PyList_Type, &tags, &PyList_Type, &texts, &with_controls)) {
    return nullptr;
  }
  const Py_ssize_t of_tags = PyList_Size(tags);
  const Py_ssize_t of_texts = PyList_Size(texts);
  const Py_ssize_t count = of_tags < of_texts ? of_tags : of_texts;
  Owned fields(PyList_New(count));
  for (Py_ssize_t i = 0; fields && i < count; ++i) {
    PyObject *tag = PyList_GetItem(tags, i);
    const Kind kind = is_control_tag(tag) == 1 ? Kind::kControlField : Kind::kDataField;
    PyObject *field = new_field(tag, kind, Py_NewRef(PyList_GetItem(texts, i)));
    if (field == nullptr) {
      return nullptr;
    }
    PyList_SetItem(fields.get(), i, field);
  }
  return fields.release();
}

/* The arguments of a Field, borrowed; nullptr where one was not given. */
struct FieldArguments {
  PyObject *tag = nullptr;
  PyObject *indicators = nullptr;
  PyObject *subfields = nullptr;
  PyObject *data = nullptr;

  /* False where they are not these. */
  bool read(PyObject *args, PyObject *keywords) {
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
    PyObject *const names[] = {key_tag, key_indicators, key_subfields, key_data};
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
  return PyList_Check(subfields) != 0 &&
         (PyList_Size(subfields) == 0 || PyUnicode_Check(PyList_GetItem(subfields, 0)) == 0);
}

/* FieldSlots.__init__(tag, indicators, subfields, data): field.py. */
int init_field(PyObject *self, PyObject *args, PyObject *keywords) {
  FieldArguments given;
  const bool is_read = given.read(args, keywords) && given.tag != nullptr;
  const int control = is_read ? is_control_tag(given.tag) : -1;
  const bool is_ordinary = control >= 0 && are_subfields(given.subfields) &&
                           (!is_given(given.indicators) || Py_TYPE(given.indicators) == indicators_type);
  if (!is_ordinary) {
    PyErr_Clear();
    const Py_ssize_t count = PyTuple_Size(args);
    Owned all(PyTuple_New(count + 1));
    if (!all) {
      return -1;
    }
    PyTuple_SetItem(all.get(), 0, Py_NewRef(self));
    for (Py_ssize_t i = 0; i < count; ++i) {
      PyTuple_SetItem(all.get(), i + 1, Py_NewRef(PyTuple_GetItem(args, i)));
    }
    const Owned none(call_twin("FieldSlots", all.get(), keywords));
    return none ? 0 : -1;
  }
  const bool is_control = control == 1;
  // An empty list is not kept either: the field has one of its own.
  const bool keeps = !is_control && is_given(given.subfields) && PyList_Size(given.subfields) > 0;
  PyObject *subfields = keeps ? Py_NewRef(given.subfields) : PyList_New(0);
  if (subfields == nullptr) {
    return -1;
  }
  PyObject *indicators = is_control ? Py_None : is_given(given.indicators) ? given.indicators : blanks;
  set_slot(self, kSubfields, subfields);
  set_slot(self, kTag, Py_NewRef(given.tag));
  set_slot(self, kControl, PyBool_FromLong(is_control ? 1 : 0));
  set_slot(self, kIndicators, Py_NewRef(indicators));
  set_slot(self, kData, Py_NewRef(is_control && given.data != nullptr ? given.data : Py_None));
  set_slot(self, kSource, Py_NewRef(Py_None));
  set_slot(self, kValue, Py_NewRef(Py_None));
  return 0;
}

// ---- writing ---------------------------------------------------------------------------------------------------

constexpr char kTerminator = '\x1e';
constexpr char kDelimiter = '\x1f';

/* Bytes that are put one behind another. */
class Bytes {
public:
  Bytes() = default;
  Bytes(const Bytes &) = delete;
  Bytes &operator=(const Bytes &) = delete;
  ~Bytes() {
    if (data_ != first_) {
      PyMem_Free(data_);
    }
  }

  bool put(const char *data, size_t size) {
    if (size > room_ - size_ && !grow(size)) {
      return false;
    }
    memcpy(data_ + size_, data, size);
    size_ += size;
    return true;
  }
  bool put(char byte) { return put(&byte, 1); }

  PyObject *to_python() const { return PyBytes_FromStringAndSize(data_, static_cast<Py_ssize_t>(size_)); }

private:
  bool grow(size_t more) {
    const size_t room = 2 * (size_ + more);
    auto *larger = static_cast<char *>(PyMem_Malloc(room));
    if (larger == nullptr) {
      return false;
    }
    memcpy(larger, data_, size_);
    if (data_ != first_) {
      PyMem_Free(data_);
    }
    data_ = larger;
    room_ = room;
    return true;
  }

  char first_[2048];
  char *data_ = first_;
  size_t size_ = 0;
  size_t room_ = sizeof first_;
};

/* The text in UTF-8, borrowed from it. Nothing where it is no str, cannot be UTF-8, or holds a terminator. */
struct Text {
  const char *data = nullptr;
  size_t size = 0;

  explicit Text(PyObject *text) {
    Py_ssize_t length = 0;
    data = text != nullptr && PyUnicode_Check(text) != 0 ? PyUnicode_AsUTF8AndSize(text, &length) : nullptr;
    size = static_cast<size_t>(length);
    if (data == nullptr) {
      PyErr_Clear();
    } else if (memchr(data, kTerminator, size) != nullptr) {
      data = nullptr;
    }
  }
  bool put_into(Bytes &out) const { return data != nullptr && out.put(data, size); }
};

bool put_text(Bytes &out, PyObject *text) { return Text(text).put_into(out); }

/* Two items of a tuple, borrowed; false where it is no such tuple. */
bool read_pair(PyObject *pair, PyObject **first, PyObject **second) {
  if (pair == nullptr || PyTuple_Check(pair) == 0 || PyTuple_Size(pair) != 2) {
    return false;
  }
  *first = PyTuple_GetItem(pair, 0);
  *second = PyTuple_GetItem(pair, 1);
  return true;
}

/* Whether a subfield without a code stands in the text of a field: it is not written. */
bool has_empty_subfields(const Text &text) {
  const char *at = text.data;
  const char *end = text.data + text.size;
  while ((at = static_cast<const char *>(memchr(at, kDelimiter, static_cast<size_t>(end - at)))) != nullptr) {
    if (++at == end || *at == kDelimiter) {
      return true;
    }
  }
  return false;
}

/* Puts a field as it is written, without its terminator. False where that is left to the twin. */
bool put_field(Bytes &out, PyObject *field) {
  PyObject *const *slot = FieldSlots::of(field)->slot;
  PyObject *subfields = slot[kSubfields];
  if (subfields == nullptr) {
    return false;
  }
  if (subfields == Py_None) {
    const Text text(slot[kSource]);
    return text.data != nullptr && !has_empty_subfields(text) && text.put_into(out);
  }
  if (slot[kControl] == Py_True) {
    return put_text(out, slot[kData]);
  }
  PyObject *first = nullptr;
  PyObject *second = nullptr;
  if (slot[kControl] != Py_False || PyList_Check(subfields) == 0 || !read_pair(slot[kIndicators], &first, &second) ||
      !put_text(out, first) || !put_text(out, second)) {
    return false;
  }
  for (Py_ssize_t i = 0; i < PyList_Size(subfields); ++i) {
    PyObject *code = nullptr;
    PyObject *value = nullptr;
    if (!read_pair(PyList_GetItem(subfields, i), &code, &value) || !out.put(kDelimiter) || !put_text(out, code) ||
        !put_text(out, value)) {
      return false;
    }
  }
  return true;
}

/* Puts a tag of three characters of ASCII. */
bool put_tag(Bytes &out, PyObject *tag) { return tag != nullptr && is_control_tag(tag) >= 0 && put_text(out, tag); }

bool put_fields(PyObject *fields, Bytes &tags, Bytes &contents) {
  for (Py_ssize_t i = 0; i < PyList_Size(fields); ++i) {
    PyObject *field = PyList_GetItem(fields, i);
    if (Py_TYPE(field) != field_type || (i > 0 && !contents.put(kTerminator)) ||
        !put_tag(tags, FieldSlots::of(field)->slot[kTag]) || !put_field(contents, field)) {
      return false;
    }
  }
  return true;
}

/* join_fields(fields): _iso2709.py. No code of Python runs in it, so the list stays as it is. */
PyObject *join_fields(PyObject *, PyObject *args) {
  PyObject *fields = nullptr;
  if (!PyArg_ParseTuple(args, "O", &fields)) {
    return nullptr;
  }
  if (PyList_Check(fields) != 0) {
    Bytes tags;
    Bytes contents;
    if (put_fields(fields, tags, contents)) {
      Owned first(tags.to_python());
      Owned second(first ? contents.to_python() : nullptr);
      return second ? PyTuple_Pack(2, first.get(), second.get()) : nullptr;
    }
  }
  return call_twin("join_fields", args);
}

// ---- the module ------------------------------------------------------------------------------------------------

template <typename Function> void *slot_function(Function *function) { return reinterpret_cast<void *>(function); }

PyObject *new_field_slots() {
  using S = FieldSlots;
  static PyMemberDef members[] = {
      slot_of("tag", S::offset(kTag)),
      slot_of("control_field", S::offset(kControl)),
      slot_of("data", S::offset(kData)),
      slot_of("_indicators", S::offset(kIndicators)),
      slot_of("_subfields", S::offset(kSubfields)),
      slot_of("_source", S::offset(kSource)),
      slot_of("_number", S::offset(kNumber)),
      slot_of("_value", S::offset(kValue)),
      slot_of("_position", S::offset(kPosition)),
      no_more_slots(),
  };
  static char doc[] = "FieldSlots(tag, indicators=None, subfields=None, data=None)\n--\n\nThe attributes of a Field.";
  PyType_Slot slots[] = {
      {Py_tp_doc, doc},
      {Py_tp_members, members},
      {Py_tp_init, slot_function(init_field)},
      {Py_tp_traverse, slot_function(S::traverse)},
      {Py_tp_clear, slot_function(S::clear)},
      {Py_tp_dealloc, slot_function(S::dealloc)},
      {0, nullptr},
  };
  PyType_Spec spec = {"libmarc._cobjects.FieldSlots", sizeof(S), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  return PyType_FromSpec(&spec);
}

PyObject *new_record_slots() {
  using S = RecordSlots;
  static PyMemberDef members[] = {
      slot_of("_batch", S::offset(kBatch)),   slot_of("_fields", S::offset(kFields)),
      slot_of("_leader", S::offset(kLeader)), slot_of("_more", S::offset(kMore)),
      slot_of("_odd", S::offset(kOdd)),       slot_of("_picked", S::offset(kPicked)),
      slot_of("_place", S::offset(kPlace)),   slot_of("_raw", S::offset(kRaw)),
      slot_of("_start", S::offset(kStart)),   no_more_slots(),
  };
  static char doc[] = "The attributes of a Record.";
  PyType_Slot slots[] = {
      {Py_tp_doc, doc},
      {Py_tp_members, members},
      {Py_tp_traverse, slot_function(S::traverse)},
      {Py_tp_clear, slot_function(S::clear)},
      {Py_tp_dealloc, slot_function(S::dealloc)},
      {0, nullptr},
  };
  PyType_Spec spec = {"libmarc._cobjects.RecordSlots", sizeof(S), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  PyObject *type = PyType_FromSpec(&spec);
  record_slots = reinterpret_cast<PyTypeObject *>(type);
  return type;
}

PyObject *new_queue_slots() {
  using S = QueueSlots;
  static PyMemberDef members[] = {slot_of("_next_queued", S::offset(kNextQueued)), no_more_slots()};
  static char doc[] = "What an iterator over a queue needs.";
  PyType_Slot slots[] = {
      {Py_tp_doc, doc},
      {Py_tp_members, members},
      {Py_tp_iter, slot_function(PyObject_SelfIter)},
      {Py_tp_iternext, slot_function(next_of_queue)},
      {Py_tp_traverse, slot_function(S::traverse)},
      {Py_tp_clear, slot_function(S::clear)},
      {Py_tp_dealloc, slot_function(S::dealloc)},
      {0, nullptr},
  };
  PyType_Spec spec = {"libmarc._cobjects.QueueSlots", sizeof(S), 0,
                      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, slots};
  return PyType_FromSpec(&spec);
}

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
  key_tag = PyUnicode_InternFromString("tag");
  key_indicators = PyUnicode_InternFromString("indicators");
  key_subfields = PyUnicode_InternFromString("subfields");
  key_data = PyUnicode_InternFromString("data");
  Owned module(PyModule_Create(&definition));
  const bool made =
      key_tag != nullptr && key_indicators != nullptr && key_subfields != nullptr && key_data != nullptr && module;
  if (!made || !add(module.get(), "FieldSlots", new_field_slots()) ||
      !add(module.get(), "RecordSlots", new_record_slots()) || !add(module.get(), "QueueSlots", new_queue_slots())) {
    return nullptr;
  }
  return module.release();
}
