// Tells in time, and once, that a certificate, a CA or a revocation list comes to its end.
#ifndef POSTERN_SRC_CONTROL_EXPIRY_WATCH_H_
#define POSTERN_SRC_CONTROL_EXPIRY_WATCH_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "src/control/certificate_list.h"
#include "src/tls/revocation.h"

namespace postern::control {

class ExpiryWatch {
 public:
  // A certificate is told of when a quarter of its time is left, at most kSoonS; a list, which
  // comes anew all the time, when a tenth of its time is left.
  static constexpr int64_t kSoonS = 14 * 86'400;
  static constexpr int64_t kVerySoonS = 86'400;
  // So many are named at a time.
  static constexpr size_t kLinesMax = 20;

  // Lines for all that has come closer to its end since the last call: it is soon, it is very soon
  // (a quarter of that, at most kVerySoonS), it is over. CAs and lists that were so when they were
  // loaded are not named: the loader has. What is not given is forgotten.
  std::vector<std::string> Look(const CertificateList& certificates,
                                std::span<const tls::RevocationIndex* const> indexes,
                                int64_t now_s);

 private:
  enum class Stage : uint8_t { kFar, kSoon, kVerySoon, kOver };
  struct Term {
    int64_t end_s = 0;
    int64_t soon_s = 0;       // before the end
    int64_t very_soon_s = 0;  // likewise
  };
  static Stage StageOf(const Term& term, int64_t now_s);
  // Whether there is something new to tell of `name`; of what was over when it came, `is_told`.
  bool Note(const std::string& name, Stage stage, bool is_told);

  std::map<std::string, Stage> told_;
  std::map<std::string, Stage> next_;  // while it looks
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_EXPIRY_WATCH_H_
