// The C interface for writing.
// SPDX-License-Identifier: MIT
#include <marc/marc.h>

#include "builder.hpp"
#include "bytes.hpp"
#include "directory.hpp"
#include "shim.hpp"
#include "writer/iso2709.hpp"
#include "writer/json.hpp"
#include "writer/marcxml.hpp"
#include "writer/mrk.hpp"
#include "writer/record_writer.hpp"

#include <cstring>
#include <memory>
#include <utility>

struct marc_builder {
  marc::Builder builder;
};

struct marc_writer {
  marc_writer(std::unique_ptr<marc::Sink> sink, const marc::RecordWriterOptions &options)
      : writer(std::move(sink), options) {}

  marc::RecordWriter writer;
  marc::shim::Owner owner;
};

namespace {

using namespace marc::shim;
using marc::Batch;
using marc::Failure;

// Lengths of `count` fields whose contents are joined by 0x1E, terminators included. False where there are more or fewer.
bool split_contents(marc::Bytes text, std::size_t count, marc::PodArray<std::uint32_t> &lengths) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = marc::find_byte(text.data(), marc::kFieldEnd, at, text.size());
    if ((end == text.size()) != (i + 1 == count)) return false;
    lengths.push(static_cast<std::uint32_t>(end - at + 1));
    at = end + 1;
  }
  return count > 0 || text.empty();
}

// The contents with a terminator behind each, where their lengths are given.
bool join_contents(marc::Bytes text, const std::uint32_t *given, std::size_t count, marc::Output &joined,
                   marc::PodArray<std::uint32_t> &lengths) {
  for (std::size_t i = 0; i < count; ++i) {
    if (given[i] > text.size()) return false;
    marc::append(joined, text.data(), given[i]);
    joined.push(marc::kFieldEnd);
    lengths.push(given[i] + 1);
    text = text.subspan(given[i]);
  }
  return text.empty();
}

marc_writer_options default_options() {
  marc_writer_options options{};
  options.struct_size = sizeof options;
  options.envelope = 1;
  options.buffer_bytes = 256U << 10;
  return options;
}

// The caller's options over the defaults; MARC_OK, or a status that has been reported.
std::int32_t read_options(const marc_writer_options *given, marc::RecordWriterOptions &out, marc_error *error) {
  marc_writer_options options = default_options();
  const std::int32_t status =
      take_options(given, options, "options.struct_size is unknown; use marc_writer_options_init", error);
  if (status != MARC_OK) return status;
  if (options.format > MARC_FORMAT_MRK) return bad_argument(error, "options.format is unknown");
  if (options.encoding > MARC_ENCODING_MARC8) return bad_argument(error, "options.encoding is unknown");
  if (options.encoding == MARC_ENCODING_MARC8 && options.format != MARC_FORMAT_ISO2709)
    return bad_argument(error, "options.encoding: MARC-8 is of ISO 2709 only");
  if (options.unmappable > MARC_UNMAPPABLE_REPLACE) return bad_argument(error, "options.unmappable is unknown");
  if (options.reserved != 0) return bad_argument(error, "options.reserved must be 0");
  if (options.oversize > MARC_OVERSIZE_SPLIT) return bad_argument(error, "options.oversize is unknown");
  if (options.refuse > (MARC_REFUSE_ODD | MARC_REFUSE_CHARACTERS))
    return bad_argument(error, "options.refuse is made of MARC_REFUSE_...");
  if (options.envelope > 1 || options.keep_coding > 1)
    return bad_argument(error, "options.envelope and keep_coding must be 0 or 1");
  if (options.buffer_bytes > (1U << 30)) return bad_argument(error, "options.buffer_bytes must be 0 to 1 GiB");
  out.format = static_cast<marc::Format>(options.format);
  out.iso2709.oversize = static_cast<marc::Oversize>(options.oversize);
  out.iso2709.refuse_odd = (options.refuse & MARC_REFUSE_ODD) != 0;
  out.encoding = static_cast<marc::Iso2709Encoding>(options.encoding);
  out.unmappable = static_cast<marc::Unmappable>(options.unmappable);
  out.refuse_characters = (options.refuse & MARC_REFUSE_CHARACTERS) != 0;
  out.envelope = options.envelope != 0;
  out.keep_coding = options.keep_coding != 0;
  out.buffer = options.buffer_bytes;
  return MARC_OK;
}

// Opens a writer to the sink that `create(failure)` makes; NULL without a failure: to memory.
template <typename Create>
std::int32_t open_writer(const marc_writer_options *given, marc_writer **out, marc_error *error, Create create) {
  if (out == nullptr) return bad_argument(error, "out is NULL");
  *out = nullptr;
  return guard(error, [&] {
    marc::RecordWriterOptions options;
    const std::int32_t status = read_options(given, options, error);
    if (status != MARC_OK) return status;
    Failure failure;
    std::unique_ptr<marc::Sink> sink = create(failure);
    if (failure) return report(failure, error);
    *out = new marc_writer(std::move(sink), options);
    return std::int32_t{MARC_OK};
  });
}

// Runs `body`, which gives a Failure, with the writer in use.
template <typename Body> std::int32_t with_writer(marc_writer *writer, marc_error *error, Body body) {
  if (writer == nullptr) return bad_argument(error, "writer is NULL");
  return guard_use(writer->owner, error, [&] {
    const Failure failure = body(writer->writer);
    return failure ? report(failure, error) : std::int32_t{MARC_OK};
  });
}

// Runs `body`, which gives a Failure, with a builder.
template <typename Body> std::int32_t with_builder(marc_builder *builder, marc_error *error, Body body) {
  if (builder == nullptr) return bad_argument(error, "builder is NULL");
  return guard(error, [&] {
    const Failure failure = body(builder->builder);
    return failure ? report(failure, error) : std::int32_t{MARC_OK};
  });
}

marc::Bytes bytes_of(const char *data, std::size_t length) {
  return {reinterpret_cast<const std::uint8_t *>(data), length};
}

bool is_delivered(const marc_batch *batch, std::uint32_t record) {
  return has_record(batch, record) && core(batch)->record_status[record] == MARC_OK;
}

} // namespace

// ---- Texts

int32_t marc_batch_json(const marc_batch *batch, uint32_t style, marc_text **out, marc_error *error) {
  if (out != nullptr) *out = nullptr;
  if (style > MARC_JSON_COMPACT) return bad_argument(error, "style is one of MARC_JSON_...");
  return give_text(batch, out, error,
                   [=](const Batch &of) { return marc::batch_json(of, static_cast<marc::JsonStyle>(style)); });
}

int32_t marc_batch_xml(const marc_batch *batch, uint32_t style, marc_text **out, marc_error *error) {
  if (out != nullptr) *out = nullptr;
  if (style > MARC_XML_PYMARC_UTF8) return bad_argument(error, "style is one of MARC_XML_...");
  return give_text(batch, out, error,
                   [=](const Batch &of) { return marc::batch_marcxml(of, static_cast<marc::XmlStyle>(style)); });
}

int32_t marc_batch_mrk(const marc_batch *batch, uint32_t style, marc_text **out, marc_error *error) {
  if (out != nullptr) *out = nullptr;
  if (style > MARC_MRK_MNEMONICS) return bad_argument(error, "style is one of MARC_MRK_...");
  return give_text(batch, out, error,
                   [=](const Batch &of) { return marc::batch_mrk(of, static_cast<marc::MrkStyle>(style)); });
}

// ---- Builders

int32_t marc_builder_new(marc_builder **out, marc_error *error) {
  if (out == nullptr) return bad_argument(error, "out is NULL");
  *out = nullptr;
  return guard(error, [&] {
    *out = new marc_builder;
    return std::int32_t{MARC_OK};
  });
}

void marc_builder_free(marc_builder *builder) { delete builder; }

int32_t marc_builder_set_leader(marc_builder *builder, const char *leader, marc_error *error) {
  if (leader == nullptr) return bad_argument(error, "leader is NULL");
  return with_builder(builder, error,
                      [=](marc::Builder &to) { return to.set_leader(bytes_of(leader, std::strlen(leader))); });
}

int32_t marc_builder_add_control(marc_builder *builder, const char *tag, const char *data, size_t length,
                                 marc_error *error) {
  if (tag == nullptr || (data == nullptr && length > 0)) return bad_argument(error, "tag or data is NULL");
  return with_builder(builder, error, [=](marc::Builder &to) {
    return to.add_control(bytes_of(tag, std::strlen(tag)), bytes_of(data, length));
  });
}

int32_t marc_builder_add_data(marc_builder *builder, const char *tag, char first, char second, marc_error *error) {
  if (tag == nullptr) return bad_argument(error, "tag is NULL");
  return with_builder(builder, error, [=](marc::Builder &to) {
    return to.add_data(bytes_of(tag, std::strlen(tag)), static_cast<std::uint8_t>(first),
                       static_cast<std::uint8_t>(second));
  });
}

int32_t marc_builder_add_subfield(marc_builder *builder, char code, const char *value, size_t length,
                                  marc_error *error) {
  if (value == nullptr && length > 0) return bad_argument(error, "value is NULL");
  return with_builder(builder, error, [=](marc::Builder &to) {
    return to.add_subfield(static_cast<std::uint8_t>(code), bytes_of(value, length));
  });
}

int32_t marc_builder_copy_leader(marc_builder *builder, const marc_batch *batch, uint32_t record, marc_error *error) {
  if (!is_delivered(batch, record)) return bad_argument(error, "there is no such record in the batch");
  return with_builder(builder, error, [=](marc::Builder &to) {
    to.copy_leader(marc::RecordView(*core(batch), record));
    return Failure{};
  });
}

int32_t marc_builder_copy_fields(marc_builder *builder, const marc_batch *batch, uint32_t record, uint32_t first,
                                 uint32_t count, marc_error *error) {
  if (!is_delivered(batch, record)) return bad_argument(error, "there is no such record in the batch");
  const marc::RecordView view = marc::text_view(*core(batch), record);
  if (std::uint64_t{first} + count > view.field_count())
    return bad_argument(error, "the record has not so many fields");
  return with_builder(builder, error, [=](marc::Builder &to) {
    to.copy_fields(view, first, count);
    return Failure{};
  });
}

int32_t marc_builder_finish(marc_builder *builder, marc_batch **out, marc_error *error) {
  if (out == nullptr) return bad_argument(error, "out is NULL");
  *out = nullptr;
  return with_builder(builder, error, [=](marc::Builder &from) {
    Failure failure;
    *out = handle(from.finish(failure).release());
    return failure;
  });
}

// ---- Writers

void marc_writer_options_init(marc_writer_options *options, size_t size) {
  init_options(options, size, default_options());
}

int32_t marc_writer_open_path(const char *path, const marc_writer_options *options, marc_writer **out,
                              marc_error *error) {
  if (path == nullptr) {
    if (out != nullptr) *out = nullptr;
    return bad_argument(error, "path is NULL");
  }
  return open_writer(options, out, error, [path](Failure &failure) { return marc::create_file(path, failure); });
}

int32_t marc_writer_open_memory(const marc_writer_options *options, marc_writer **out, marc_error *error) {
  return open_writer(options, out, error, [](Failure &) { return std::unique_ptr<marc::Sink>(); });
}

int32_t marc_writer_open_callback(marc_write_fn write, void *context, const marc_writer_options *options,
                                  marc_writer **out, marc_error *error) {
  if (write == nullptr) {
    if (out != nullptr) *out = nullptr;
    return bad_argument(error, "write is NULL");
  }
  return open_writer(options, out, error, [=](Failure &) { return marc::create_callback(write, context); });
}

int32_t marc_writer_write(marc_writer *writer, const marc_batch *batch, uint32_t record, marc_error *error) {
  if (!is_delivered(batch, record)) return bad_argument(error, "there is no such record in the batch");
  return with_writer(writer, error, [=](marc::RecordWriter &to) { return to.write(*core(batch), record); });
}

int32_t marc_writer_write_batch(marc_writer *writer, const marc_batch *batch, uint32_t first, uint32_t count,
                                uint32_t *done, marc_error *error) {
  if (done != nullptr) *done = 0;
  if (batch == nullptr) return bad_argument(error, "batch is NULL");
  const Batch &from = *core(batch);
  if (std::uint64_t{first} + count > from.size()) return bad_argument(error, "the batch has not so many pieces");
  std::uint32_t passed = 0;
  const std::int32_t status = with_writer(writer, error, [&](marc::RecordWriter &to) {
    Failure failure;
    for (; passed < count; ++passed) {
      if (from.record_status[first + passed] != MARC_OK) continue;
      failure = to.write(from, first + passed);
      if (failure) break;
    }
    return failure;
  });
  if (done != nullptr) *done = passed;
  if (status != MARC_OK) report_index(error, from.first_index + first + passed);
  return status;
}

int32_t marc_writer_write_raw(marc_writer *writer, const marc_batch *batch, uint32_t record, marc_error *error) {
  if (!has_record(batch, record)) return bad_argument(error, "there is no such piece in the batch");
  return with_writer(writer, error, [=](marc::RecordWriter &to) {
    return to.write_raw(marc::RecordView(*core(batch), record).bytes());
  });
}

int32_t marc_writer_flush(marc_writer *writer, marc_error *error) {
  return with_writer(writer, error, [](marc::RecordWriter &of) { return of.flush(); });
}

int32_t marc_writer_close(marc_writer *writer, marc_error *error) {
  return with_writer(writer, error, [](marc::RecordWriter &of) { return of.close(); });
}

int32_t marc_writer_get_info(const marc_writer *writer, marc_writer_info *out) {
  if (writer == nullptr || out == nullptr) return MARC_E_ARGUMENT;
  marc_writer_info info{};
  info.records = writer->writer.records();
  info.bytes = writer->writer.bytes_written();
  info.replaced = writer->writer.replaced();
  give(info, out);
  return MARC_OK;
}

const uint8_t *marc_writer_get_bytes(const marc_writer *writer, size_t *length) {
  const marc::Bytes bytes = writer == nullptr ? marc::Bytes{} : writer->writer.bytes();
  if (length != nullptr) *length = bytes.size();
  return bytes.data();
}

void marc_writer_free(marc_writer *writer) { delete writer; }

// ---- One record

int32_t marc_serialize(const uint8_t *leader, const uint8_t *tags, size_t field_count, const uint8_t *text,
                       size_t text_length, const uint32_t *lengths, uint32_t oversize, uint8_t *out, size_t capacity,
                       size_t *written, marc_error *error) {
  if (written != nullptr) *written = 0;
  if (leader == nullptr || out == nullptr) return bad_argument(error, "leader or out is NULL");
  if ((tags == nullptr && field_count > 0) || (text == nullptr && text_length > 0))
    return bad_argument(error, "tags or text is NULL");
  if (oversize > MARC_OVERSIZE_ZEROS) return bad_argument(error, "oversize is MARC_OVERSIZE_ERROR or _ZEROS");
  if (text_length > UINT32_MAX / 2) return bad_argument(error, "text has at most 2 GiB");
  return guard(error, [&] {
    marc::PodArray<std::uint32_t> packed;
    marc::PodArray<std::uint32_t> sizes;
    marc::Output content;
    packed.reserve_more(field_count);
    sizes.reserve_more(field_count);
    content.reserve_more(text_length + field_count + 1);
    for (std::size_t i = 0; i < field_count; ++i) packed.push(marc::pack_tag(tags + 3 * i));
    const marc::Bytes given{text, text_length};
    if (lengths != nullptr) {
      if (!join_contents(given, lengths, field_count, content, sizes))
        return bad_argument(error, "lengths are not those of text");
    } else {
      if (!split_contents(given, field_count, sizes))
        return bad_argument(error, "text has not as many 0x1E as there are fields, less one");
      marc::append(content, text, text_length);
      if (field_count > 0) content.push(marc::kFieldEnd);
    }
    const marc::Iso2709Fields fields{packed.data(), sizes.data(), field_count, {content.data(), content.size()}};
    const Failure failure = marc::check_iso2709(fields, {static_cast<marc::Oversize>(oversize), false});
    if (failure) return report(failure, error);
    if (capacity < fields.size()) return bad_argument(error, "capacity is too small for the record");
    marc::lay_out_iso2709(out, leader, fields);
    if (written != nullptr) *written = fields.size();
    return std::int32_t{MARC_OK};
  });
}
