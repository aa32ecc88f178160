// What /status and /metrics say, as it is being sent: of one round of snapshots there is one text,
// whoever asks, and all texts that somebody still reads have a bound together.
#ifndef POSTERN_SRC_ADMIN_STATE_TEXTS_H_
#define POSTERN_SRC_ADMIN_STATE_TEXTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace postern::admin {

class StateTexts {
 public:
  enum class Kind : uint8_t { kStatus, kMetrics };
  static constexpr size_t kKinds = 2;
  static constexpr size_t kBytesMax = size_t{256} << 20;

  using Text = std::shared_ptr<const std::string>;
  // Nothing: it would be larger than a text may be.
  using Write = std::function<std::optional<std::string>()>;

  explicit StateTexts(size_t bytes_max = kBytesMax) : bytes_max_(bytes_max) {}

  enum class Result : uint8_t { kGood, kTooLarge, kBusy };
  // Fills `text` with what `write` says of this round, or has said. kBusy: others are still reading
  // so much that this one might not fit.
  Result Get(Kind kind, uint64_t round, const Write& write, Text* text);

 private:
  struct Last {
    uint64_t round = 0;
    size_t size = 0;  // the next one will be about as large
    std::weak_ptr<const std::string> text;
  };

  size_t bytes_max_;
  std::array<Last, kKinds> last_;
  std::vector<std::weak_ptr<const std::string>> read_;  // perhaps still
};

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_STATE_TEXTS_H_
