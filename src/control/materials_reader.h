// Reads what a configuration names, and collects what is wrong: one line each, none twice. Internal
// to control/.
#ifndef POSTERN_SRC_CONTROL_MATERIALS_READER_H_
#define POSTERN_SRC_CONTROL_MATERIALS_READER_H_

#include <set>
#include <string>
#include <vector>

#include "src/control/loader.h"
#include "src/tls/trust_input.h"

namespace postern::control {

class MaterialsReader {
 public:
  // Both outlive this.
  MaterialsReader(const LoadTerms* terms, Materials* materials)
      : terms_(terms), materials_(materials) {}

  tls::ContextInput ReadContext(const config::ListenerConfig& listener);
  void ReadGroup(const config::GroupConfig& group);
  void ReadTicketSecrets(const config::TicketConfig& tickets);

  absl::Status status() const;

 private:
  tls::ClientContextInput ReadUpstreamTls(const config::GroupConfig& group);
  void Add(const std::string& where, const absl::Status& status);
  std::string Read(const std::string& where, const std::string& path);
  std::vector<tls::ContextInput::Pair> ReadPairs(const std::string& where,
                                                 const std::vector<config::CertificatePair>& pairs);
  void ReadClientAuth(const std::string& where, const config::ClientAuthConfig& config,
                      tls::ContextInput::Host* host);
  tls::TrustInput ReadTrust(const std::string& where, const config::TrustConfig& config);
  void ReadDirectory(const std::string& where, const std::string& path,
                     std::vector<tls::NamedPem>* files);
  // An index that was made of the same files before, or null.
  const Materials::Revocation* FindRevocation(const std::string& key) const;
  // The index of the trust's lists, from `previous` if nothing of it has changed.
  const tls::RevocationIndex* ReadRevocation(const std::string& where,
                                             const config::TrustConfig& config,
                                             const tls::TrustInput& trust);

  const LoadTerms* terms_;
  Materials* materials_;
  std::vector<std::string> problems_;
  std::set<std::string> known_;  // the problems, to tell each once
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_MATERIALS_READER_H_
