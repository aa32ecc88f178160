// The clients that the load comes from.
#ifndef POSTERN_TOOLS_LOAD_IDENTITY_H_
#define POSTERN_TOOLS_LOAD_IDENTITY_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "src/tls/client_context.h"
#include "tools/load/options.h"
#include "tools/load/tally.h"

namespace postern::load {

// What the files say; shared by all workers.
struct IdentitySource {
  std::string name;  // "" without a certificate
  tls::ClientContextInput input;
};

// At least one: without certificates, a client that has none.
absl::StatusOr<std::vector<IdentitySource>> ReadIdentities(const Options& options);

absl::StatusOr<std::string> ReadFile(const std::string& path);

// One client of one worker.
class Identity {
 public:
  Identity(size_t index, std::unique_ptr<tls::ClientContext> context)
      : index_(index), context_(std::move(context)) {}

  // Its place among all sources.
  size_t index() const { return index_; }
  const tls::ClientContext* context() const { return context_.get(); }
  IdentityFate& fate() { return fate_; }
  const IdentityFate& fate() const { return fate_; }

  // Sessions for one connection, of an earlier one if there was one. They come back when it has
  // ended: so two connections never offer the same ticket.
  std::unique_ptr<tls::ClientSessions> BorrowSessions();
  void ReturnSessions(std::unique_ptr<tls::ClientSessions> sessions);

 private:
  size_t index_;
  std::unique_ptr<tls::ClientContext> context_;
  std::vector<std::unique_ptr<tls::ClientSessions>> sessions_;
  IdentityFate fate_;
};

}  // namespace postern::load

#endif  // POSTERN_TOOLS_LOAD_IDENTITY_H_
