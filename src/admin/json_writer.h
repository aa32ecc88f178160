// Writes one JSON text (RFC 8259) into a string of bounded size. Commas are put by the writer; the
// order of calls is the caller's to get right (CHECK).
#ifndef POSTERN_SRC_ADMIN_JSON_WRITER_H_
#define POSTERN_SRC_ADMIN_JSON_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postern::admin {

class JsonWriter {
 public:
  // After a value that would go beyond `bytes_max`, overflowed() stays true and nothing more is
  // written.
  explicit JsonWriter(size_t bytes_max) : bytes_max_(bytes_max) {}

  void BeginObject() { Begin('{'); }
  void EndObject() { End('}'); }
  void BeginArray() { Begin('['); }
  void EndArray() { End(']'); }
  // Of the next value; in objects only.
  void Key(std::string_view key);

  // Bytes that are not UTF-8 become U+FFFD, each one.
  void String(std::string_view value);
  void Unsigned(uint64_t value);
  void Signed(int64_t value);
  void Bool(bool value);

  // A member of an object.
  void Field(std::string_view key, std::string_view value) {
    Key(key);
    String(value);
  }
  void Field(std::string_view key, uint64_t value) {
    Key(key);
    Unsigned(value);
  }

  bool overflowed() const { return overflowed_; }
  // Valid when everything begun has been ended and nothing overflowed.
  const std::string& text() const { return text_; }
  std::string Release() { return std::move(text_); }

 private:
  static constexpr uint32_t kDepthMax = 31;

  void Begin(char bracket);
  void End(char bracket);
  // The comma before a value that is not the first, unless a key has just been written.
  void Separate();
  void Append(std::string_view bytes);
  void AppendQuoted(std::string_view value);

  size_t bytes_max_;
  std::string text_;
  uint32_t depth_ = 0;
  uint32_t has_members_ = 0;  // bit n: something stands in the container at depth n
  bool after_key_ = false;
  bool overflowed_ = false;
};

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_JSON_WRITER_H_
