// What is wrong with a configuration: every error of it, in the order in which they stand there,
// one line each.
//
//   postern.textproto:12:5: listeners[0].client_auth.ca_files: is missing; ...     text format
//   postern.json:12:5: listeners[0].client_auth: is given twice ...                JSON, before it
//   postern.json: listeners[0].client_auth.ca_files: is missing; ...               is read; then no
//                                                                                  places are known
//   --client_ca: is missing; ...                                                  flags
#ifndef POSTERN_SRC_CONFIG_DIAGNOSTICS_H_
#define POSTERN_SRC_CONFIG_DIAGNOSTICS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace postern::config {

// A place in a file, counted from 1; 0: unknown.
struct Location {
  int line = 0;
  int column = 0;
};

class Diagnostics {
 public:
  // Says what a field of the schema, such as "listeners[0].address", is called in this
  // configuration.
  using Namer = std::string (*)(const std::string& path);

  // `file_name` may be empty. Without a namer, paths are shown as they are.
  explicit Diagnostics(std::string file_name, Namer namer = nullptr);

  // `path` may be empty.
  void Add(Location location, const std::string& path, const std::string& message);

  // Takes over what another list of errors says.
  void AddLines(const std::string& lines);

  bool empty() const { return count_ == 0; }
  size_t count() const { return count_; }

  // InvalidArgument with one line for each error, or OK.
  absl::Status ToStatus() const;

 private:
  struct Entry {
    Location location;
    std::string text;
  };

  // Enough for a person; a file of a million errors should not need memory for each.
  static constexpr size_t kEntriesMax = 100;

  std::string file_name_;
  Namer namer_;
  std::vector<Entry> entries_;
  size_t count_ = 0;
};

// A value as it is shown in a message: in quotes, on one line, printable, of bounded length.
std::string Quote(const std::string& value);

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_DIAGNOSTICS_H_
