#include "src/config/field_reader.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace postern::config {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

bool HasControlCharacter(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

}  // namespace

FieldReader::FieldReader(const Message& message, const ParseInfoTree* tree,
                         Diagnostics* diagnostics)
    : message_(&message), tree_(tree), diagnostics_(diagnostics) {
  if (tree == nullptr) {
    location_ = {};
  }
}

FieldReader::FieldReader(const FieldReader& parent, int number, int index)
    : diagnostics_(parent.diagnostics_),
      path_(parent.PathOf(number, index)),
      location_(parent.LocationOf(number, index)) {
  const FieldDescriptor* field = parent.Field(number);
  const google::protobuf::Reflection& reflection = *parent.message_->GetReflection();
  message_ = index >= 0 ? &reflection.GetRepeatedMessage(*parent.message_, field, index)
                        : &reflection.GetMessage(*parent.message_, field);
  tree_ = parent.tree_ != nullptr ? parent.tree_->GetTreeForNested(field, index) : nullptr;
}

FieldReader FieldReader::Child(int number, int index) const {
  return FieldReader(*this, number, index);
}

const FieldDescriptor* FieldReader::Field(int number) const {
  return message_->GetDescriptor()->FindFieldByNumber(number);
}

bool FieldReader::Has(int number) const {
  return message_->GetReflection()->HasField(*message_, Field(number));
}

std::vector<int> FieldReader::Given() const {
  std::vector<const FieldDescriptor*> fields;
  message_->GetReflection()->ListFields(*message_, &fields);
  std::vector<int> numbers;
  for (const FieldDescriptor* field : fields) {
    numbers.push_back(field->number());
  }
  return numbers;
}

int FieldReader::Count(int number) const {
  return message_->GetReflection()->FieldSize(*message_, Field(number));
}

bool FieldReader::CheckCount(int number, int min, int max) const {
  const int count = Count(number);
  if (count >= min && count <= max) {
    return true;
  }
  if (count == 0) {
    Error(number, "is missing; at least one is needed");
  } else {
    Error(number, absl::StrCat(count, " are too many; use at most ", max));
  }
  return false;
}

bool FieldReader::ReadText(int number, std::string* out, int index) const {
  if (index < 0 && !Has(number)) {
    return false;
  }
  const google::protobuf::Reflection& reflection = *message_->GetReflection();
  std::string text = index >= 0 ? reflection.GetRepeatedString(*message_, Field(number), index)
                                : reflection.GetString(*message_, Field(number));
  if (HasControlCharacter(text)) {
    Error(number, absl::StrCat(Quote(text), " has a control character; remove it"), index);
    return false;
  }
  *out = std::move(text);
  return true;
}

bool FieldReader::RequireText(int number, const std::string& hint, std::string* out) const {
  std::string text;
  if (!ReadText(number, &text)) {
    if (!Has(number)) {
      Error(number, absl::StrCat("is missing; ", hint));
    }
    return false;
  }
  if (text.empty()) {
    Error(number, absl::StrCat("is empty; ", hint));
    return false;
  }
  *out = std::move(text);
  return true;
}

bool FieldReader::ReadTexts(int number, int count_max, const std::string& hint,
                            std::vector<std::string>* out) const {
  if (Count(number) == 0 || !CheckCount(number, 1, count_max)) {
    return false;
  }
  bool good = true;
  std::vector<std::string> texts(static_cast<size_t>(Count(number)));
  for (int i = 0; i < Count(number); ++i) {
    std::string* text = &texts[static_cast<size_t>(i)];
    if (!ReadText(number, text, i)) {
      good = false;
    } else if (text->empty()) {
      Error(number, absl::StrCat("is empty; ", hint), i);
      good = false;
    }
  }
  if (good) {
    *out = std::move(texts);
  }
  return good;
}

bool FieldReader::ReadNumber(int number, const Range& range, uint32_t* out) const {
  if (!Has(number)) {
    return false;
  }
  const uint32_t value = message_->GetReflection()->GetUInt32(*message_, Field(number));
  if (value < range.min || value > range.max) {
    Error(number,
          absl::StrCat(value, " is out of range; use ", range.min, " to ", range.max, range.unit));
    return false;
  }
  *out = value;
  return true;
}

bool FieldReader::ReadPort(int number, const Range& range, uint16_t* out) const {
  uint32_t port = 0;
  if (!ReadNumber(number, range, &port)) {
    return false;
  }
  *out = static_cast<uint16_t>(port);
  return true;
}

void FieldReader::ReadBool(int number, bool* out) const {
  if (Has(number)) {
    *out = message_->GetReflection()->GetBool(*message_, Field(number));
  }
}

void FieldReader::CheckText(int number, std::string (*problem)(const std::string&),
                            const std::string& value) const {
  if (const std::string found = problem(value); !found.empty()) {
    Error(number, absl::StrCat(Quote(value), " ", found));
  }
}

void FieldReader::CheckNamesDiffer(int number, int name_number) const {
  std::map<std::string, int> first;
  for (int i = 0; i < Count(number); ++i) {
    const FieldReader element = Child(number, i);
    if (!element.Has(name_number)) {
      continue;
    }
    const std::string name =
        element.message_->GetReflection()->GetString(*element.message_, element.Field(name_number));
    const auto [it, inserted] = first.emplace(name, i);
    if (!inserted && !name.empty()) {
      element.Error(name_number, absl::StrCat(Quote(name), " is the name of entry ", it->second,
                                              " too; names must differ"));
    }
  }
}

void FieldReader::Error(int number, const std::string& message, int index) const {
  diagnostics_->Add(LocationOf(number, index), PathOf(number, index), message);
}

Location FieldReader::LocationOf(int number, int index) const {
  if (tree_ == nullptr) {
    return location_;
  }
  const FieldDescriptor* field = Field(number);
  // Values of a list in brackets have no place of their own in the tree: the list's has to do.
  int value = field->is_repeated() ? std::max(index, 0) : -1;
  google::protobuf::TextFormat::ParseLocation found = tree_->GetLocation(field, value);
  while (found.line < 0 && value > 0) {
    found = tree_->GetLocation(field, --value);
  }
  return found.line < 0 ? location_ : Location{found.line + 1, found.column + 1};
}

std::string FieldReader::PathOf(int number, int index) const {
  std::string path = absl::StrCat(path_, path_.empty() ? "" : ".", Field(number)->name());
  if (index >= 0) {
    absl::StrAppend(&path, "[", index, "]");
  }
  return path;
}

}  // namespace postern::config
