// References to Python's objects.
#pragma once

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030A0000
#include <Python.h>

#include <utility>

namespace objects {

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

/* A list of `count` objects, of which `make(number)` makes each. nullptr: an exception is set. */
template <typename Make> PyObject *list_of(Py_ssize_t count, const Make &make) {
  Owned list(PyList_New(count));
  for (Py_ssize_t i = 0; list && i < count; ++i) {
    PyObject *item = make(i);
    if (item == nullptr) {
      return nullptr;
    }
    PyList_SetItem(list.get(), i, item);
  }
  return list.release();
}

} // namespace objects
