#include "src/config/load.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "src/base/regular_file.h"
#include "src/config/convert.h"
#include "src/config/diagnostics.h"
#include "src/config/json_check.h"
#include "src/config/schema.h"

namespace postern::config {
namespace {

// Messages of the schema nest four deep; the parser recurses for each level of the input.
constexpr int kNestingMax = 32;

class ErrorCollector : public google::protobuf::io::ErrorCollector {
 public:
  explicit ErrorCollector(Diagnostics* diagnostics) : diagnostics_(diagnostics) {}

  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    // Lines are counted from 0, and -1 means "somewhere".
    diagnostics_->Add(line < 0 ? Location{} : Location{line + 1, column + 1}, "", message);
  }

  // The parser was told to go on after an unknown field; for us that is an error none the less.
  void AddWarning(int line, google::protobuf::io::ColumnNumber column,
                  const std::string& message) override {
    AddError(line, column, message);
  }

 private:
  Diagnostics* diagnostics_;
};

absl::StatusOr<Config> ParseTextFormat(const std::string& contents, const std::string& file_name) {
  Diagnostics diagnostics(file_name);
  ErrorCollector collector(&diagnostics);
  google::protobuf::TextFormat::ParseInfoTree tree;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  parser.WriteLocationsTo(&tree);
  parser.AllowUnknownField(true);  // see AddWarning
  parser.SetRecursionLimit(kNestingMax);
  proto::Config message;
  if (!parser.ParseFromString(contents, &message)) {
    // What was not read would look as if it were missing: no further checks.
    if (diagnostics.empty()) {
      diagnostics.Add({}, "", "is not protobuf text format");
    }
    return diagnostics.ToStatus();
  }
  Config config = Convert(FieldReader(message, &tree, &diagnostics));
  if (!diagnostics.empty()) {
    return diagnostics.ToStatus();
  }
  return config;
}

// "(listeners[0]) nonsense: Cannot find field." and "(shards): invalid value ...", as protobuf has
// it, begin like our own messages then. Syntax errors come with the text around them and an arrow
// below, on lines of their own.
std::string OneLine(const std::string& problem) {
  const std::string text = absl::StrReplaceAll(problem, {{"\n", " "}, {"\r", " "}});
  const size_t end = text.find(')');
  if (text.empty() || text.front() != '(' || end == std::string::npos || end + 1 == text.size()) {
    return text;
  }
  const std::string path = text.substr(1, end - 1);
  const std::string rest = text.substr(end + 1);
  return rest.front() == ' ' ? absl::StrCat(path, path.empty() ? "" : ".", rest.substr(1))
                             : absl::StrCat(path, rest);
}

absl::StatusOr<Config> ParseJson(const std::string& contents, const std::string& file_name) {
  Diagnostics diagnostics(file_name);
  CheckJson(contents, kNestingMax, &diagnostics);
  if (!diagnostics.empty()) {
    return diagnostics.ToStatus();
  }
  proto::Config message;
  const auto status = google::protobuf::util::JsonStringToMessage(contents, &message);
  if (!status.ok()) {
    diagnostics.Add({}, "", OneLine(std::string(status.message().data(), status.message().size())));
    return diagnostics.ToStatus();
  }
  Config config = Convert(FieldReader(message, nullptr, &diagnostics));
  if (!diagnostics.empty()) {
    return diagnostics.ToStatus();
  }
  return config;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& file_name) {
  const auto fail = [&file_name](const std::string& problem) {
    return absl::InvalidArgumentError(absl::StrCat(file_name, ": ", problem));
  };
  const int descriptor = base::OpenRegularFile(file_name);
  if (descriptor < 0) {
    const std::string problem = base::RegularFileProblem(errno);
    return fail(errno == 0 ? problem : absl::StrCat("cannot be opened: ", problem));
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(fdopen(descriptor, "rb"),
                                                             &std::fclose);
  if (file == nullptr) {
    close(descriptor);
    return fail(absl::StrCat("cannot be opened: ", std::strerror(errno)));
  }
  std::string contents;
  char block[16384];
  for (size_t size = 0; (size = std::fread(block, 1, sizeof(block), file.get())) > 0;) {
    contents.append(block, size);
    if (contents.size() > kFileSizeMax) {
      return fail(absl::StrCat("is larger than ", kFileSizeMax, " bytes; is this the right file?"));
    }
  }
  if (std::ferror(file.get()) != 0) {
    return fail(absl::StrCat("cannot be read: ", std::strerror(errno)));
  }
  return contents;
}

absl::StatusOr<Config> ParseText(const std::string& contents, const std::string& file_name) {
  return absl::EndsWith(file_name, ".json") ? ParseJson(contents, file_name)
                                            : ParseTextFormat(contents, file_name);
}

absl::StatusOr<Config> LoadFile(const std::string& file_name) {
  const absl::StatusOr<std::string> contents = ReadFile(file_name);
  if (!contents.ok()) {
    return contents.status();
  }
  return ParseText(*contents, file_name);
}

}  // namespace postern::config
