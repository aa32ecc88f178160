// What a person may change through the admin server, if --admin_write lets anybody do so.
//
// The address is loopback and asks for no password, so a request has to show that it comes from the
// page that this very process has served: by a token that only the page carries, and by its origin.
// A page of somebody else's in the same browser can send requests here, but knows no token, cannot
// read ours, and says its own origin. Whoever may open connections to this machine's loopback
// address can fetch the page and with it the token: that is what the flag allows.
#ifndef POSTERN_SRC_ADMIN_COMMANDS_H_
#define POSTERN_SRC_ADMIN_COMMANDS_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "src/admin/pages.h"
#include "src/control/status_source.h"
#include "src/http/message.h"
#include "src/io/driver.h"

namespace postern::admin {

class Commands {
 public:
  // `source` outlives this.
  explicit Commands(control::StatusSource* source) : source_(source) {}

  // Before the first request: draws the token, if one is wanted, and makes the page.
  void Prepare(io::Driver* driver);

  // The page for people.
  Answer Index() const;
  // Judges a request for Page::kCommand, and does what it asks for.
  Answer Run(const http::RequestHead& head);

 private:
  bool IsFromOurPage(const http::RequestHead& head) const;
  Answer Drain(std::string_view query, bool drained);
  Answer SetLogLevel(std::string_view query);

  control::StatusSource* source_;
  std::string token_;  // empty: nothing may be changed
  std::shared_ptr<const std::string> page_;
};

// The value of `key` in a query ("a=1&b=2"), its %XX decoded; nothing without it or with a broken
// escape.
std::optional<std::string> QueryValue(std::string_view query, std::string_view key);

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_COMMANDS_H_
