// Fields as they are written.
#include "functions.hpp"
#include "slots.hpp"

#include <cstring>

namespace objects {

namespace {

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
    if (!is_field(field) || (i > 0 && !contents.put(kTerminator)) ||
        !put_tag(tags, FieldSlots::of(field)->slot[kTag]) || !put_field(contents, field)) {
      return false;
    }
  }
  return true;
}

} // namespace

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

} // namespace objects
