// A strict reader of JSON (RFC 8259) for tests: the whole text is one value, or nothing comes back.
#ifndef POSTERN_SRC_ADMIN_JSON_TEST_UTIL_H_
#define POSTERN_SRC_ADMIN_JSON_TEST_UTIL_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::admin {

struct Json {
  enum class Kind : uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  bool boolean = false;
  std::string text;  // of a string, decoded; of a number, as written
  std::vector<Json> items;
  std::map<std::string, Json> members;

  bool Has(const std::string& key) const { return members.contains(key); }
  // Null when it is not there.
  Json operator[](const std::string& key) const {
    auto found = members.find(key);
    return found == members.end() ? Json() : found->second;
  }
  Json operator[](size_t index) const { return index < items.size() ? items[index] : Json(); }
  int64_t number() const { return kind == Kind::kNumber ? std::stoll(text) : -1; }
};

class JsonReader {
 public:
  static std::optional<Json> Read(std::string_view text) {
    JsonReader reader(text);
    Json value;
    bool good = reader.Value(&value);
    reader.Space();
    if (!good || !reader.rest_.empty()) {
      return std::nullopt;
    }
    return value;
  }

 private:
  explicit JsonReader(std::string_view text) : rest_(text) {}

  void Space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  bool Take(std::string_view word) {
    if (!rest_.starts_with(word)) {
      return false;
    }
    rest_.remove_prefix(word.size());
    return true;
  }
  bool Value(Json* out) {
    Space();
    if (Take("{")) {
      return Object(out);
    }
    if (Take("[")) {
      return Array(out);
    }
    if (Take("\"")) {
      out->kind = Json::Kind::kString;
      return String(&out->text);
    }
    if (Take("null")) {
      return true;
    }
    out->kind = Json::Kind::kBool;
    out->boolean = rest_.starts_with("true");
    return Take("true") || Take("false") || Number(out);
  }
  bool Object(Json* out) {
    out->kind = Json::Kind::kObject;
    Space();
    if (Take("}")) {
      return true;
    }
    do {
      std::string key;
      Space();
      if (!Take("\"") || !String(&key) || out->members.contains(key)) {
        return false;
      }
      Space();
      if (!Take(":") || !Value(&out->members[key])) {
        return false;
      }
      Space();
    } while (Take(","));
    return Take("}");
  }
  bool Array(Json* out) {
    out->kind = Json::Kind::kArray;
    Space();
    if (Take("]")) {
      return true;
    }
    do {
      out->items.emplace_back();
      if (!Value(&out->items.back())) {
        return false;
      }
      Space();
    } while (Take(","));
    return Take("]");
  }
  // Whole numbers only: nothing else is written.
  bool Number(Json* out) {
    out->kind = Json::Kind::kNumber;
    size_t sign = rest_.starts_with('-') ? 1 : 0;
    size_t end = std::min(rest_.find_first_not_of("0123456789", sign), rest_.size());
    if (end == sign || (rest_[sign] == '0' && end > sign + 1)) {
      return false;
    }
    out->text = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return true;
  }
  bool String(std::string* out) {
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') {
        return true;
      }
      if (static_cast<uint8_t>(c) < 0x20) {
        return false;
      }
      if (c == '\\' && !Escape(&c)) {
        return false;
      }
      *out += c;
    }
    return false;
  }
  // Of \u, those of one byte only: nothing else is written.
  bool Escape(char* out) {
    if (Take("\"") || Take("\\")) {
      *out = rest_.data()[-1];
      return true;
    }
    if (!Take("u00") || rest_.size() < 2) {
      return false;
    }
    int value = 0;
    for (char c : rest_.substr(0, 2)) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      size_t digit = kDigits.find(c);
      if (digit == std::string_view::npos) {
        return false;
      }
      value = value * 16 + static_cast<int>(digit);
    }
    rest_.remove_prefix(2);
    *out = static_cast<char>(value);
    return true;
  }

  std::string_view rest_;
};

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_JSON_TEST_UTIL_H_
