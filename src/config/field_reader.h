// Reads the fields of one message of the schema, and knows where each of them stands: whoever finds
// something wrong with a field says so here, and line, column and path are added.
//
// A field is named by its number (proto::Listener::kNameFieldNumber): the compiler checks that it
// exists. Every Read and Take leaves `*out` alone if the field is absent or wrong, so defaults stay
// in config.h.
#ifndef POSTERN_SRC_CONFIG_FIELD_READER_H_
#define POSTERN_SRC_CONFIG_FIELD_READER_H_

#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <cstdint>
#include <string>
#include <vector>

#include "src/config/diagnostics.h"

namespace postern::config {

// Both ends belong to it.
struct Range {
  uint32_t min = 0;
  uint32_t max = 0;
  const char* unit = "";
};

class FieldReader {
 public:
  using ParseInfoTree = google::protobuf::TextFormat::ParseInfoTree;

  // For the outermost message. Everything named must outlive this and all its children. `tree` may
  // be null.
  FieldReader(const google::protobuf::Message& message, const ParseInfoTree* tree,
              Diagnostics* diagnostics);

  // A message inside this one; `index` for a repeated field. An absent singular message reads as an
  // empty one.
  FieldReader Child(int number, int index = -1) const;

  // Whether a singular field was given.
  bool Has(int number) const;

  // The numbers of all fields that were given, in their order.
  std::vector<int> Given() const;

  // How many values a repeated field has.
  int Count(int number) const;

  // Says so and returns false unless the count is min to max.
  bool CheckCount(int number, int min, int max) const;

  // A string, which has no control characters. False: absent or wrong; the latter has been said.
  bool ReadText(int number, std::string* out, int index = -1) const;

  // The same, for a field that must be there; `hint` says what to write.
  bool RequireText(int number, const std::string& hint, std::string* out) const;

  // The strings of a repeated field, at most `count_max`, none of them empty; `hint` says what to
  // write. False: there are none, or one is wrong; the latter has been said.
  bool ReadTexts(int number, int count_max, const std::string& hint,
                 std::vector<std::string>* out) const;

  // A number in its range. False: absent or wrong; the latter has been said.
  bool ReadNumber(int number, const Range& range, uint32_t* out) const;

  // The same, for a port; the range fits into 16 bits.
  bool ReadPort(int number, const Range& range, uint16_t* out) const;

  void ReadBool(int number, bool* out) const;

  // Says so if `problem` (see checks.h) finds one in the value of a field.
  void CheckText(int number, std::string (*problem)(const std::string&),
                 const std::string& value) const;

  // Says so for each element of a repeated message whose name, a string field, an earlier one has.
  void CheckNamesDiffer(int number, int name_number) const;

  // Records an error of a field; of the message if the field is absent.
  void Error(int number, const std::string& message, int index = -1) const;

  // Errors recorded so far, in the whole configuration.
  size_t error_count() const { return diagnostics_->count(); }

 private:
  FieldReader(const FieldReader& parent, int number, int index);

  const google::protobuf::FieldDescriptor* Field(int number) const;
  Location LocationOf(int number, int index) const;
  std::string PathOf(int number, int index) const;

  const google::protobuf::Message* message_;
  const ParseInfoTree* tree_;
  Diagnostics* diagnostics_;
  std::string path_;  // of this message
  Location location_ = {1, 1};
};

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_FIELD_READER_H_
