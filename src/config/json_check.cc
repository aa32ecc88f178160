#include "src/config/json_check.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"

namespace postern::config {
namespace {

constexpr size_t kProblemsMax = 20;

Location LocationOf(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_begin =
      before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(before.size() - line_begin) + 1};
}

// As protobuf compares names of fields: either as the schema has them, or in lowerCamelCase.
std::string Folded(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0) {
      folded += '_';
    }
    folded += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return folded;
}

// Events of the parser, each with where its stream is.
class Handler {
 public:
  Handler(std::string_view text, const rapidjson::MemoryStream* stream, int depth_max,
          Diagnostics* diagnostics)
      : text_(text), stream_(stream), depth_max_(depth_max), diagnostics_(diagnostics) {}

  bool Null() {
    // Read as if it were not there: `"client_auth": null` would let everybody in.
    diagnostics_->Add(LocationOf(text_, stream_->Tell() - 1), Path(),
                      "is null; give a value, or leave it out");
    return Value() && diagnostics_->count() < kProblemsMax;
  }
  bool Bool(bool) { return Value(); }
  bool Int(int) { return Value(); }
  bool Uint(unsigned) { return Value(); }
  bool Int64(int64_t) { return Value(); }
  bool Uint64(uint64_t) { return Value(); }
  bool Double(double) { return Value(); }
  bool RawNumber(const char*, rapidjson::SizeType, bool) { return Value(); }
  bool String(const char*, rapidjson::SizeType, bool) { return Value(); }
  bool StartObject() { return Open(false); }
  bool StartArray() { return Open(true); }
  bool EndObject(rapidjson::SizeType) { return Close(); }
  bool EndArray(rapidjson::SizeType) { return Close(); }
  bool Key(const char* name, rapidjson::SizeType size, bool) {
    Level& level = levels_.back();
    level.name.assign(name, size);
    if (!level.names.insert(Folded(level.name)).second) {
      diagnostics_->Add(LocationOf(text_, stream_->Tell() - 1), Path(),
                        "is given twice in one object; keep one");
    }
    // Each costs a look at all that stands before it.
    return diagnostics_->count() < kProblemsMax;
  }

 private:
  struct Level {
    bool is_array = false;
    size_t index = 0;             // of an array: of the value that comes next
    std::string name;             // of an object: the one whose value comes next
    std::set<std::string> names;  // folded
  };

  bool Value() {
    if (!levels_.empty()) {
      ++levels_.back().index;
    }
    return true;
  }
  bool Open(bool is_array) {
    levels_.push_back({is_array, 0, "", {}});
    if (static_cast<int>(levels_.size()) > depth_max_) {
      diagnostics_->Add(LocationOf(text_, stream_->Tell() - 1), "", "lies too deep in others");
      return false;
    }
    return true;
  }
  bool Close() {
    levels_.pop_back();
    return Value();
  }
  // "listeners[0].client_auth", as the schema's other messages have it.
  std::string Path() const {
    std::string path;
    for (const Level& level : levels_) {
      if (level.is_array) {
        absl::StrAppend(&path, "[", level.index, "]");
      } else {
        absl::StrAppend(&path, path.empty() ? "" : ".", level.name);
      }
    }
    return path;
  }

  std::string_view text_;
  const rapidjson::MemoryStream* stream_;
  int depth_max_;
  Diagnostics* diagnostics_;
  std::vector<Level> levels_;
};

}  // namespace

void CheckJson(const std::string& text, int depth_max, Diagnostics* diagnostics) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  Handler handler(text, &stream, depth_max, diagnostics);
  // Numbers are protobuf's business. It recurses for each level of what passes here.
  constexpr unsigned kFlags = rapidjson::kParseIterativeFlag |
                              rapidjson::kParseNumbersAsStringsFlag |
                              rapidjson::kParseValidateEncodingFlag;
  const rapidjson::ParseResult result = reader.Parse<kFlags>(stream, handler);
  if (result.IsError() && result.Code() != rapidjson::kParseErrorTermination) {
    diagnostics->Add(LocationOf(text, std::min(result.Offset(), text.size())), "",
                     absl::StrCat("is no JSON: ", rapidjson::GetParseError_En(result.Code())));
  }
}

}  // namespace postern::config
