// A text that nobody is to find in memory once it has served: the contents of a key's file, or of
// one with ticket secrets. Overwritten when it ends or another takes its place.
#ifndef POSTERN_SRC_BASE_SECRET_H_
#define POSTERN_SRC_BASE_SECRET_H_

#include <string.h>

#include <string>
#include <string_view>
#include <utility>

namespace postern::base {

class Secret {
 public:
  Secret() = default;
  // Takes the string's own memory over, if it is too long to be inside the object; shorter ones
  // are no keys.
  Secret(std::string text) : text_(std::move(text)) {}
  Secret(const char* text) : text_(text) {}
  Secret(const Secret& other) = default;
  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.Wipe(); }
  ~Secret() { Wipe(); }
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      Wipe();
      text_ = other.text_;
    }
    return *this;
  }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      Wipe();
      text_ = std::move(other.text_);
      other.Wipe();
    }
    return *this;
  }

  std::string_view view() const { return text_; }
  // Empty from here on.
  void Wipe() {
    explicit_bzero(text_.data(), text_.size());
    text_.clear();
  }

  bool operator==(const Secret&) const = default;

 private:
  std::string text_;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_SECRET_H_
