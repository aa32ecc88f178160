// Which page a request asks for, and how the answers are written.
#ifndef POSTERN_SRC_ADMIN_PAGES_H_
#define POSTERN_SRC_ADMIN_PAGES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "src/http/message.h"
#include "src/proxy/env.h"

namespace postern::admin {

enum class Page : uint8_t {
  kIndex,  // for people
  kHealth,
  kStatus,
  kMetrics,
  kCommand,  // changes something, or would
  kNotFound,
  kBadMethod,  // neither GET nor HEAD
  kForbidden,  // asked for by a name that is not this machine's own
};

// Which of them an address has.
enum class Scope : uint8_t {
  kAll,      // loopback
  kMetrics,  // kHealth and kMetrics, for whoever reaches it
};

inline constexpr std::string_view kDrainPath = "/servers/drain";
inline constexpr std::string_view kUndrainPath = "/servers/undrain";
inline constexpr std::string_view kReloadPath = "/reload";
inline constexpr std::string_view kLogLevelPath = "/log_level";

Page PageOf(const http::RequestHead& head, Scope scope);

// Whether a Host value names the loopback: a literal of it or "localhost", with or without a port.
// A web page whose name an attacker has pointed at 127.0.0.1 says that name here and is refused.
bool IsLoopbackAuthority(std::string_view authority);

// Whose operations those of its server are.
constexpr proxy::Owner OwnerOf(Scope scope) {
  return scope == Scope::kAll ? proxy::Owner::kAdmin : proxy::Owner::kMetrics;
}

struct Answer {
  uint16_t status = 200;
  std::string_view content_type = "text/plain; charset=utf-8";
  bool page = false;                        // the page for people, under its policy
  std::string_view allow = "";              // 405: a literal with the methods; empty: GET and HEAD
  std::shared_ptr<const std::string> body;  // never null
};

// "404 Not Found\n" and the like.
Answer PlainAnswer(uint16_t status);
Answer TextAnswer(uint16_t status, std::string_view text);
// The pages that are the same at any time: those that are errors.
Answer FixedAnswer(Page page);

// The head of an answer. `wall_ms` is what the Date field tells.
std::string AnswerHead(const Answer& answer, bool close_after, int64_t wall_ms);

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_PAGES_H_
