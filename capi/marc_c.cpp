// The C interface: thin shims over the core. Every function that can fail runs in guard(), so that no exception leaves.
// SPDX-License-Identifier: MIT
#include <marc/marc.h>

#include "batch.hpp"
#include "batch_stream.hpp"
#include "error.hpp"
#include "parser.hpp"
#include "pipeline.hpp"
#include "plain_texts.hpp"
#include "record_view.hpp"
#include "scanner.hpp"
#include "shim.hpp"
#include "source.hpp"
#include "threads.hpp"
#include "titles.hpp"
#include "xml_stream.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>

struct marc_reader {
  marc_reader(std::unique_ptr<marc::BatchStream> batches, std::uint32_t kind)
      : stream(std::move(batches)), backend(kind) {}

  std::unique_ptr<marc::BatchStream> stream;
  std::uint32_t backend;
  marc::shim::Owner owner;
};

namespace {

using namespace marc::shim;
using marc::Batch;
using marc::Failure;

constexpr std::uint64_t kLargestLargest = std::uint64_t{3} << 30;
constexpr std::int32_t kMostAhead = 1 << 16;

bool has_range(const marc_reader_options &options) {
  return options.range_begin != 0 || options.range_end != UINT64_MAX;
}

marc_reader_options default_options() {
  marc_reader_options options{};
  options.struct_size = sizeof options;
  options.parse_mode = MARC_PARSE_PYMARC;
  options.chunk_bytes = 512U << 10;
  options.largest_record = 64U << 20;
  options.range_end = UINT64_MAX;
  return options;
}

// The caller's options over the defaults; MARC_OK, or a status that has been reported.
std::int32_t read_options(const marc_reader_options *given, marc_reader_options &options, marc_error *error) {
  options = default_options();
  const std::int32_t status =
      take_options(given, options, "options.struct_size is unknown; use marc_reader_options_init", error);
  if (status != MARC_OK) return status;
  if (options.parse_mode > MARC_PARSE_BEST) return bad_argument(error, "options.parse_mode is unknown");
  if (options.chunk_bytes < 64 || options.chunk_bytes > (1U << 30))
    return bad_argument(error, "options.chunk_bytes must be 64 to 1 GiB");
  if (options.largest_record < 1 || options.largest_record > kLargestLargest)
    return bad_argument(error, "options.largest_record must be 1 byte to 3 GiB");
  if (options.interruptible > 1) return bad_argument(error, "options.interruptible must be 0 or 1");
  if (options.text_mode > MARC_TEXT_RAW) return bad_argument(error, "options.text_mode is unknown");
  if (options.range_begin > options.range_end) return bad_argument(error, "options.range_begin is behind range_end");
  if (options.format > MARC_FORMAT_MARCXML) return bad_argument(error, "options.format is unknown");
  if (options.format != MARC_FORMAT_ISO2709 && has_range(options))
    return report(MARC_E_UNSUPPORTED, "byte ranges are for ISO 2709 only", error);
  if (options.read_ahead < MARC_AHEAD_THREADS || options.read_ahead > kMostAhead)
    return bad_argument(error, "options.read_ahead must be 1 to 65536, or MARC_AHEAD_...");
  return MARC_OK;
}

// How many chunks are read ahead of a source.
std::size_t chunks_ahead(const marc::Source &source, const marc_reader_options &options, unsigned threads) {
  const bool none =
      options.read_ahead == MARC_AHEAD_NONE || (options.read_ahead == MARC_AHEAD_AUTO && source.is_live());
  if (none || threads == 1) return 0;
  return options.read_ahead > 0 ? static_cast<std::size_t>(options.read_ahead) : threads + 2;
}

// What reads a source as the options say.
std::unique_ptr<marc::BatchStream> open_stream(std::unique_ptr<marc::Source> source, const marc_reader_options &options,
                                               unsigned threads) {
  const auto largest = static_cast<std::size_t>(options.largest_record);
  if (options.format == MARC_FORMAT_MARCXML)
    return std::make_unique<marc::XmlStream>(std::move(source),
                                             marc::XmlOptions{options.chunk_bytes, options.batch_records, largest});
  marc::FramerOptions pieces;
  pieces.chunk = options.chunk_bytes;
  pieces.batch_records = options.batch_records;
  pieces.largest = largest;
  pieces.reading = static_cast<marc::Reading>(options.parse_mode);
  pieces.text = static_cast<marc::TextMode>(options.text_mode);
  pieces.range_begin = options.range_begin;
  pieces.range_end = options.range_end;
  const std::size_t ahead = chunks_ahead(*source, options, threads);
  return std::make_unique<marc::Pipeline>(std::move(source), marc::PipelineOptions{pieces, threads, ahead});
}

// Opens a reader on the source that `open(options, failure)` makes.
template <typename Open>
std::int32_t open_reader(std::uint32_t backend, const marc_reader_options *given, marc_reader **out, marc_error *error,
                         Open open) {
  if (out == nullptr) return bad_argument(error, "out is NULL");
  *out = nullptr;
  return guard(error, [&] {
    marc_reader_options options{};
    const std::int32_t status = read_options(given, options, error);
    if (status != MARC_OK) return status;
    Failure failure;
    const unsigned threads = marc::thread_count(failure);
    if (failure) return report(failure, error);
    std::unique_ptr<marc::Source> source = open(options, failure);
    if (source == nullptr) return report(failure, error, 0, 0);
    if (has_range(options) && source->is_live())
      return report(MARC_E_UNSUPPORTED, "byte ranges need a source that can be positioned", error);
    *out = new marc_reader(open_stream(std::move(source), options, threads), backend);
    return std::int32_t{MARC_OK};
  });
}

// What to read from is missing.
std::int32_t no_source(marc_reader **out, marc_error *error, const char *message) {
  if (out != nullptr) *out = nullptr;
  return bad_argument(error, message);
}

marc::Surroundings surroundings(std::uint32_t place) {
  if (place == MARC_PIECE_ALONE) return marc::Surroundings::None;
  return place == MARC_PIECE_LAST ? marc::Surroundings::Last : marc::Surroundings::BytesFollow;
}

// The field of a record, if there is one of this number.
std::optional<marc::FieldView> find_field(const marc_batch *batch, std::uint32_t record, std::uint32_t field) {
  if (!has_record(batch, record)) return std::nullopt;
  const marc::RecordView view(*core(batch), record);
  if (field >= view.field_count()) return std::nullopt;
  return view.field(field);
}

const std::uint8_t *give_bytes(marc::Bytes bytes, std::size_t *length) {
  if (length != nullptr) *length = bytes.size();
  return bytes.data();
}

} // namespace

// ---- Library

const char *marc_version_string(void) {
#define MARC_TEXT_OF(x) #x
#define MARC_TEXT(x) MARC_TEXT_OF(x)
  return MARC_TEXT(MARC_VERSION_MAJOR) "." MARC_TEXT(MARC_VERSION_MINOR) "." MARC_TEXT(MARC_VERSION_PATCH);
}

int32_t marc_abi_version(void) { return MARC_ABI_VERSION; }
const char *marc_code_message(int32_t code) { return marc::code_message(code); }
const char *marc_code_name(int32_t code) { return marc::code_name(code); }

void marc_error_init(marc_error *error, size_t size) {
  if (error == nullptr) return;
  std::memset(error, 0, size);
  error->struct_size = static_cast<std::uint32_t>(size);
}

void marc_reader_options_init(marc_reader_options *options, size_t size) {
  init_options(options, size, default_options());
}

// ---- Readers

int32_t marc_reader_open_path(const char *path, const marc_reader_options *options, marc_reader **out,
                              marc_error *error) {
  if (path == nullptr) return no_source(out, error, "path is NULL");
  return open_reader(MARC_BACKEND_FILE, options, out, error, [path](const marc_reader_options &o, Failure &failure) {
    return marc::open_file(path, o.interruptible != 0, failure);
  });
}

int32_t marc_reader_open_bytes(const uint8_t *data, size_t length, const marc_reader_options *options,
                               marc_reader **out, marc_error *error) {
  if (data == nullptr && length > 0) return no_source(out, error, "data is NULL");
  return open_reader(MARC_BACKEND_MEMORY, options, out, error, [=](const marc_reader_options &, Failure &) {
    return marc::open_memory({data, length});
  });
}

int32_t marc_reader_open_callback(marc_read_fn read, void *context, const marc_reader_options *options,
                                  marc_reader **out, marc_error *error) {
  if (read == nullptr) return no_source(out, error, "read is NULL");
  return open_reader(MARC_BACKEND_CALLBACK, options, out, error,
                     [=](const marc_reader_options &, Failure &) { return marc::open_callback(read, context); });
}

int32_t marc_reader_open_read_at(marc_read_at_fn read_at, void *context, uint64_t size,
                                 const marc_reader_options *options, marc_reader **out, marc_error *error) {
  if (read_at == nullptr) return no_source(out, error, "read_at is NULL");
  return open_reader(MARC_BACKEND_READ_AT, options, out, error, [=](const marc_reader_options &, Failure &) {
    return marc::open_read_at(read_at, context, size);
  });
}

int32_t marc_reader_next_batch(marc_reader *reader, marc_batch **out, marc_error *error) {
  if (out == nullptr) return bad_argument(error, "out is NULL");
  *out = nullptr;
  if (reader == nullptr) return bad_argument(error, "reader is NULL");
  return guard_use(reader->owner, error, [&] {
    Failure outcome;
    std::unique_ptr<Batch> batch = reader->stream->next(outcome);
    if (outcome)
      return report(outcome, error, static_cast<std::int64_t>(reader->stream->index()),
                    static_cast<std::int64_t>(reader->stream->offset()));
    *out = handle(batch.release());
    return outcome.code;
  });
}

void marc_reader_cancel(marc_reader *reader) {
  if (reader != nullptr) reader->stream->cancel();
}

int32_t marc_reader_get_info(const marc_reader *reader, marc_reader_info *out) {
  if (reader == nullptr || out == nullptr) return MARC_E_ARGUMENT;
  const marc::StreamCounters &counters = reader->stream->counters();
  marc_reader_info info{};
  info.backend = reader->backend;
  info.bytes_read = counters.bytes_read;
  info.source_reads = counters.source_reads;
  info.pieces = counters.pieces;
  info.silent_bytes = counters.silent_bytes;
  info.threads = static_cast<std::uint32_t>(counters.threads);
  info.chunks_ahead = static_cast<std::uint32_t>(counters.chunks_ahead);
  info.bytes_held = counters.bytes_held;
  info.wait_source = counters.wait_source;
  info.wait_workers = counters.wait_workers;
  info.wait_consumer = counters.wait_consumer;
  give(info, out);
  return MARC_OK;
}

const uint8_t *marc_reader_get_rest(marc_reader *reader, size_t *length) {
  if (length != nullptr) *length = 0;
  if (reader == nullptr || reader->owner.is_forked()) return nullptr;
  const Use use(reader->owner);
  if (!use) return nullptr;
  const marc::Bytes rest = reader->stream->rest();
  return give_bytes(rest.empty() ? marc::Bytes{} : rest, length);
}

void marc_reader_free(marc_reader *reader) { delete reader; }

// ---- Batches

int32_t marc_parse_record(const uint8_t *data, size_t length, uint32_t place, const marc_reader_options *given,
                          marc_batch **out, marc_error *error) {
  if (out == nullptr) return bad_argument(error, "out is NULL");
  *out = nullptr;
  if (data == nullptr || length == 0) return bad_argument(error, "a piece has at least one byte");
  if (place > MARC_PIECE_LAST) return bad_argument(error, "place is one of MARC_PIECE_...");
  return guard(error, [&] {
    marc_reader_options options{};
    const std::int32_t status = read_options(given, options, error);
    if (status != MARC_OK) return status;
    if (length > kLargestLargest) return bad_argument(error, "a piece has at most 3 GiB");
    auto batch = std::make_unique<Batch>();
    batch->clear();
    batch->data = data;
    batch->length = length;
    const auto reading = static_cast<marc::Reading>(options.parse_mode);
    const auto text = static_cast<marc::TextMode>(options.text_mode);
    marc::Scanner scanner(length);
    const marc::Piece piece = scanner.next(data, length, true);
    if (piece.kind == marc::PieceKind::Record && piece.length == length)
      marc::parse_sound(*batch, 0, length, scanner.leader(), scanner.directory(), reading, text);
    else
      marc::parse_chunk(*batch, 0, length, surroundings(place), reading, text);
    batch->finish();
    *out = handle(batch.release());
    return std::int32_t{MARC_OK};
  });
}

void marc_batch_get_view(const marc_batch *given, marc_batch_view *out) {
  if (out == nullptr) return;
  if (given == nullptr) return give(marc_batch_view{}, out);
  const Batch &batch = *core(given);
  marc_batch_view view{};
  view.record_count = static_cast<std::uint32_t>(batch.size());
  view.field_count = static_cast<std::uint32_t>(batch.field_tag.size());
  view.subfield_count = static_cast<std::uint32_t>(batch.subfield_offset.size());
  view.note_count = static_cast<std::uint32_t>(batch.notes.size());
  view.all_flags = batch.all_flags;
  view.rejected_count = batch.rejected;
  view.data = batch.data;
  view.data_length = batch.length;
  view.source_offset = batch.source_offset;
  view.first_index = batch.first_index;
  view.silent_bytes = batch.silent;
  view.record_start = batch.record_start.data();
  view.record_length = batch.record_length.data();
  view.record_status = batch.record_status.data();
  view.record_flags = batch.record_flags.data();
  view.field_first = batch.field_first.data();
  view.field_tag = batch.field_tag.data();
  view.field_offset = batch.field_offset.data();
  view.field_length = batch.field_length.data();
  view.subfield_first = batch.subfield_first.data();
  view.subfield_offset = batch.subfield_offset.data();
  view.subfield_length = batch.subfield_length.data();
  view.notes = batch.notes.data();
  if (batch.place.size() > 0) {
    view.record_place = batch.place.data();
    view.record_extent = batch.extent.data();
    view.record_leader = batch.leaders.data();
  }
  view.record_text = batch.record_text.size() == 0 ? nullptr : batch.record_text.data();
  give(view, out);
}

const marc_batch *marc_batch_text(const marc_batch *batch) {
  const bool has_text = batch != nullptr && core(batch)->record_text.size() > 0;
  return has_text ? handle(core(batch)->text.get()) : nullptr;
}

const marc_batch *marc_batch_retain(const marc_batch *batch) {
  if (batch != nullptr) core(batch)->references.fetch_add(1, std::memory_order_relaxed);
  return batch;
}

void marc_batch_release(const marc_batch *batch) {
  if (batch != nullptr) marc::release(core(batch));
}

uint32_t marc_batch_record_count(const marc_batch *batch) {
  return batch == nullptr ? 0 : static_cast<std::uint32_t>(core(batch)->size());
}

int32_t marc_batch_record_status(const marc_batch *batch, uint32_t record) {
  return has_record(batch, record) ? core(batch)->record_status[record] : std::int32_t{MARC_E_ARGUMENT};
}

uint32_t marc_batch_record_flags(const marc_batch *batch, uint32_t record) {
  return has_record(batch, record) ? core(batch)->record_flags[record] : 0;
}

uint64_t marc_batch_record_offset(const marc_batch *batch, uint32_t record) {
  return has_record(batch, record) ? core(batch)->source_offset + core(batch)->record_start[record] : 0;
}

const uint8_t *marc_batch_record_data(const marc_batch *batch, uint32_t record, size_t *length) {
  if (!has_record(batch, record)) return give_bytes({}, length);
  return give_bytes(marc::RecordView(*core(batch), record).bytes(), length);
}

uint32_t marc_batch_field_count(const marc_batch *batch, uint32_t record) {
  if (!has_record(batch, record)) return 0;
  return static_cast<std::uint32_t>(marc::RecordView(*core(batch), record).field_count());
}

const uint8_t *marc_batch_field(const marc_batch *batch, uint32_t record, uint32_t number, char tag[4],
                                size_t *length) {
  const auto field = find_field(batch, record, number);
  const std::uint32_t packed = field ? field->tag() : 0;
  if (tag != nullptr)
    for (unsigned i = 0; i < 4; ++i) tag[i] = static_cast<char>(packed >> (8 * i));
  return give_bytes(field ? field->bytes() : marc::Bytes{}, length);
}

uint32_t marc_batch_subfield_count(const marc_batch *batch, uint32_t record, uint32_t number) {
  const auto field = find_field(batch, record, number);
  return field ? static_cast<std::uint32_t>(field->subfield_count()) : 0;
}

const uint8_t *marc_batch_subfield(const marc_batch *batch, uint32_t record, uint32_t number, uint32_t subfield,
                                   uint8_t *code, size_t *length) {
  const auto field = find_field(batch, record, number);
  const bool found = field && subfield < field->subfield_count();
  const marc::Bytes bytes = found ? field->subfield(subfield) : marc::Bytes{};
  if (code != nullptr) *code = found ? bytes[0] : 0;
  return give_bytes(found ? bytes.subspan(1) : bytes, length);
}

// ---- Texts

int32_t marc_batch_titles(const marc_batch *batch, marc_text **out, marc_error *error) {
  return give_text(batch, out, error, marc::batch_titles);
}

int32_t marc_batch_values(const marc_batch *batch, marc_text **out, marc_error *error) {
  return give_text(batch, out, error, marc::batch_values);
}

int32_t marc_batch_fields(const marc_batch *batch, const uint32_t *tags, size_t count, marc_text **out,
                          marc_error *error) {
  if (out != nullptr) *out = nullptr;
  if (tags == nullptr && count > 0) return bad_argument(error, "tags is NULL");
  return give_text(batch, out, error, [=](const Batch &of) { return marc::batch_fields(of, {tags, count}); });
}

int32_t marc_batch_subfields(const marc_batch *batch, marc_text **out, marc_error *error) {
  return give_text(batch, out, error, marc::batch_subfields);
}

int32_t marc_batch_shapes(const marc_batch *batch, uint32_t *shape_of_field, marc_text **out, marc_error *error) {
  if (out != nullptr) *out = nullptr;
  if (shape_of_field == nullptr) return bad_argument(error, "shape_of_field is NULL");
  return give_text(batch, out, error, [=](const Batch &of) { return marc::batch_shapes(of, shape_of_field); });
}

void marc_text_get_view(const marc_text *text, marc_text_view *out) {
  if (out == nullptr) return;
  if (text == nullptr) return give(marc_text_view{}, out);
  marc_text_view view{};
  view.count = static_cast<std::uint32_t>(text->text.start.size() - 1);
  view.data = text->text.data.data();
  view.data_length = text->text.data.size();
  view.start = text->text.start.data();
  view.splits = text->text.splits ? 1 : 0;
  view.absent = text->text.absent;
  give(view, out);
}

void marc_text_free(marc_text *text) { delete text; }
