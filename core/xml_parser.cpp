// SPDX-License-Identifier: MIT
#include "xml_parser.hpp"

#include "bytes.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include <expat.h>
#include <iconv.h>

namespace marc {
namespace {

constexpr std::size_t kMostDepth = 1000;

// The name behind the prefix.
const char *local_name(const char *name) {
  const char *local = name;
  for (; *name != 0; ++name)
    if (*name == ':') local = name + 1;
  return local;
}

// Which character each byte of a single-byte encoding is, as iconv has it: -1 for none. False where iconv does not know
// the name, and for encodings that have longer characters, states, or another ASCII.
bool read_encoding(const char *name, int (&map)[256]) {
  const iconv_t converter = iconv_open("UTF-32LE", name);
  if (converter == reinterpret_cast<iconv_t>(-1)) return false; // NOLINT: that is how iconv says it
  bool single = true;
  for (int byte = 0; byte < 256 && single; ++byte) {
    char in = static_cast<char>(byte);
    std::array<std::uint8_t, 8> out{};
    char *from = &in;
    char *to = reinterpret_cast<char *>(out.data());
    std::size_t in_left = 1;
    std::size_t out_left = out.size();
    iconv(converter, nullptr, nullptr, nullptr, nullptr);
    const bool converted = iconv(converter, &from, &in_left, &to, &out_left) != static_cast<std::size_t>(-1);
    if (!converted) single = errno == EILSEQ; // a longer character would begin here (EINVAL)
    if (converted) single = out_left == 4 && out[3] == 0;
    map[byte] = converted ? out[0] | out[1] << 8 | out[2] << 16 : -1;
    if (byte < 0x80) single = single && map[byte] == byte;
  }
  iconv_close(converter);
  return single;
}

int set_encoding(void *, const XML_Char *name, XML_Encoding *encoding) {
  encoding->data = nullptr;
  encoding->convert = nullptr;
  encoding->release = nullptr;
  return read_encoding(name, encoding->map) ? XML_STATUS_OK : XML_STATUS_ERROR;
}

} // namespace

// The memory of the parser, counted. Its functions are not told for whom they allocate: `of` says it, on the thread that
// is inside the parser.
struct XmlParser::Allocation {
  explicit Allocation(Memory &memory) : before(std::exchange(of, &memory)) {}
  Allocation(const Allocation &) = delete;
  Allocation &operator=(const Allocation &) = delete;
  ~Allocation() { of = before; }

  static void *allocate(std::size_t size) {
    if (size > of->left) {
      of->short_of = true;
      return nullptr;
    }
    auto *block = static_cast<std::uint8_t *>(::operator new(kHeader + size, std::nothrow));
    if (block == nullptr) return nullptr;
    of->left -= size;
    std::memcpy(block, &size, sizeof size);
    return block + kHeader;
  }
  static void *reallocate(void *block, std::size_t size) {
    void *moved = allocate(size);
    if (moved == nullptr || block == nullptr) return moved;
    std::memcpy(moved, block, std::min(size, size_of(block)));
    release(block);
    return moved;
  }
  static void release(void *block) {
    if (block == nullptr) return;
    of->left += size_of(block);
    ::operator delete(static_cast<std::uint8_t *>(block) - kHeader);
  }

private:
  static constexpr std::size_t kHeader = alignof(std::max_align_t); // holds the size
  static std::size_t size_of(const void *block) {
    std::size_t size = 0;
    std::memcpy(&size, static_cast<const std::uint8_t *>(block) - kHeader, sizeof size);
    return size;
  }

  static thread_local Memory *of;
  Memory *before;
};

thread_local XmlParser::Memory *XmlParser::Allocation::of = nullptr;

// What expat calls. Its calls go on for a little when it was told to stop.
struct XmlParser::Callbacks {
  static XmlParser &parser(void *data) { return *static_cast<XmlParser *>(data); }

  static void start_element(void *data, const XML_Char *name, const XML_Char **attributes) {
    XmlParser &self = parser(data);
    if (++self.depth_ > kMostDepth) return self.refuse("its elements are more than 1000 deep");
    self.call([&] { self.handler_.start_element(self, local_name(name), attributes); });
  }
  static void end_element(void *data, const XML_Char *name) {
    XmlParser &self = parser(data);
    --self.depth_;
    self.call([&] { self.handler_.end_element(self, local_name(name)); });
  }
  static void add_text(void *data, const XML_Char *text, int size) {
    XmlParser &self = parser(data);
    self.call([&] { self.handler_.add_text(text, static_cast<std::size_t>(size)); });
  }
  static void declare_entity(void *data, const XML_Char *, int, const XML_Char *, int, const XML_Char *,
                             const XML_Char *, const XML_Char *, const XML_Char *) {
    parser(data).refuse("it declares entities, which are not expanded here");
  }
  static void skip_entity(void *data, const XML_Char *, int) {
    parser(data).refuse("it refers to an entity that it does not declare, and nothing is fetched");
  }
};

XmlParser::XmlParser(XmlHandler &handler, std::size_t memory) : handler_(handler), memory_{memory} {
  const Allocation counted(memory_);
  const XML_Memory_Handling_Suite suite{Allocation::allocate, Allocation::reallocate, Allocation::release};
  parser_ = XML_ParserCreate_MM(nullptr, &suite, nullptr);
  if (parser_ == nullptr) throw std::bad_alloc();
  XML_SetUserData(parser_, this);
  XML_SetElementHandler(parser_, Callbacks::start_element, Callbacks::end_element);
  XML_SetCharacterDataHandler(parser_, Callbacks::add_text);
  XML_SetEntityDeclHandler(parser_, Callbacks::declare_entity);
  XML_SetSkippedEntityHandler(parser_, Callbacks::skip_entity);
  XML_SetUnknownEncodingHandler(parser_, set_encoding, nullptr);
}

XmlParser::~XmlParser() {
  const Allocation counted(memory_);
  XML_ParserFree(parser_);
}

// Runs a handler. No exception passes through expat, which is C.
template <typename Call> void XmlParser::call(Call handle) noexcept {
  if (refused_ != nullptr || exception_ != nullptr) return;
  try {
    handle();
  } catch (...) {
    exception_ = std::current_exception();
    XML_StopParser(parser_, XML_FALSE);
  }
}

void XmlParser::refuse(const char *why) {
  if (refused_ != nullptr || exception_ != nullptr) return;
  refused_ = why;
  XML_StopParser(parser_, XML_FALSE);
}

void XmlParser::pause() {
  paused_ = true;
  XML_StopParser(parser_, XML_TRUE);
}

std::uint8_t *XmlParser::make_room(std::size_t size, Failure &failure) {
  const Allocation counted(memory_);
  void *room = XML_GetBuffer(parser_, static_cast<int>(size));
  failure = room == nullptr ? not_well_formed(XML_ERROR_NO_MEMORY) : Failure{};
  return static_cast<std::uint8_t *>(room);
}

Failure XmlParser::parse(std::size_t size, bool final) {
  count_steps(size);
  const Allocation counted(memory_);
  return outcome(XML_ParseBuffer(parser_, static_cast<int>(size), final ? XML_TRUE : XML_FALSE));
}

Failure XmlParser::resume() {
  const Allocation counted(memory_);
  paused_ = false;
  return outcome(XML_ResumeParser(parser_));
}

Failure XmlParser::outcome(int status) {
  if (exception_ != nullptr) std::rethrow_exception(exception_);
  if (refused_ != nullptr) return placed({MARC_E_FORMAT, 0, std::string("this XML is refused: ") + refused_});
  return status == XML_STATUS_ERROR ? not_well_formed(XML_GetErrorCode(parser_)) : Failure{};
}

Failure XmlParser::not_well_formed(int code) const {
  if (code == XML_ERROR_NO_MEMORY && !memory_.short_of) throw std::bad_alloc();
  if (code == XML_ERROR_NO_MEMORY)
    return placed({MARC_E_FORMAT, code, "this XML is refused: a tag without an end, or names without number"});
  return placed({MARC_E_FORMAT, code, std::string("this is no XML: ") + XML_ErrorString(static_cast<XML_Error>(code))});
}

// The failure with the place at which the parser is.
Failure XmlParser::placed(Failure failure) const {
  failure.line = static_cast<std::int64_t>(XML_GetCurrentLineNumber(parser_));
  failure.column = static_cast<std::int64_t>(XML_GetCurrentColumnNumber(parser_)) + 1;
  failure.message += " (byte " + std::to_string(offset()) + ", line " + std::to_string(failure.line) + ", column " +
                     std::to_string(failure.column) + ")";
  return failure;
}

std::uint64_t XmlParser::offset() const {
  const XML_Index index = XML_GetCurrentByteIndex(parser_);
  return index < 0 ? 0 : static_cast<std::uint64_t>(index);
}

std::uint64_t XmlParser::end_offset() const {
  return offset() + static_cast<std::uint64_t>(XML_GetCurrentByteCount(parser_));
}

} // namespace marc
