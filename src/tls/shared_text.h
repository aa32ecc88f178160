// A file's text, read once and shared by all that name the file.
#ifndef POSTERN_SRC_TLS_SHARED_TEXT_H_
#define POSTERN_SRC_TLS_SHARED_TEXT_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace postern::tls {

class SharedText {
 public:
  SharedText() = default;
  // Implicit: most who have a text share it with nobody.
  SharedText(std::string text)  // NOLINT(google-explicit-constructor)
      : text_(std::make_shared<const std::string>(std::move(text))) {}

  std::string_view view() const {
    return text_ == nullptr ? std::string_view() : std::string_view(*text_);
  }
  // The same for all copies, and for no other text while one of them lives. Null: empty.
  const void* id() const { return text_.get(); }

  bool operator==(const SharedText& other) const {
    return text_ == other.text_ || view() == other.view();
  }

 private:
  std::shared_ptr<const std::string> text_;
};

}  // namespace postern::tls

#endif  // POSTERN_SRC_TLS_SHARED_TEXT_H_
