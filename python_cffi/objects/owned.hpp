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

} // namespace objects
