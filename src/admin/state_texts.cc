#include "src/admin/state_texts.h"

#include <utility>

namespace postern::admin {

StateTexts::Result StateTexts::Get(Kind kind, uint64_t round, const Write& write, Text* text) {
  Last& last = last_[static_cast<size_t>(kind)];
  *text = last.text.lock();
  if (*text != nullptr && last.round == round) {
    return Result::kGood;
  }
  text->reset();
  size_t bytes = 0;
  std::erase_if(read_, [&bytes](const std::weak_ptr<const std::string>& weak) {
    const Text known = weak.lock();
    bytes += known != nullptr ? known->size() : 0;
    return known == nullptr;
  });
  if (bytes > 0 && bytes + last.size > bytes_max_) {
    return Result::kBusy;
  }
  std::optional<std::string> written = write();
  if (!written.has_value()) {
    return Result::kTooLarge;
  }
  *text = std::make_shared<const std::string>(*std::move(written));
  last = {round, (*text)->size(), *text};
  read_.push_back(*text);
  return Result::kGood;
}

}  // namespace postern::admin
