// Reads what a configuration names, and collects what is wrong: one line each, none twice. Internal
// to control/.
#ifndef POSTERN_SRC_CONTROL_MATERIALS_READER_H_
#define POSTERN_SRC_CONTROL_MATERIALS_READER_H_

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "src/base/secret.h"
#include "src/control/loader.h"
#include "src/tls/crl.h"
#include "src/tls/pem_use.h"
#include "src/tls/trust_input.h"

namespace postern::control {

// The octets of a hash.
std::string TextOf(const tls::Sha256& hash);

class MaterialsReader {
 public:
  // Both outlive this.
  MaterialsReader(const LoadTerms* terms, Materials* materials)
      : terms_(terms), materials_(materials), marks_(&materials->file_marks) {}

  tls::ContextInput ReadContext(const config::ListenerConfig& listener);
  void ReadTicketSecrets(const config::TicketConfig& tickets);
  // Of all servers, before the groups.
  void ResolveNames();
  // After the others: from here on files are those of servers.
  void ReadGroup(const config::GroupConfig& group);

  absl::Status status() const;

 private:
  // Where it is now, or else where the running configuration has found it. None, with an error, for
  // a name that nobody knows.
  io::Address AddressOf(const std::string& where, const config::ServerConfig& server);
  tls::ClientContextInput ReadUpstreamTls(const config::GroupConfig& group);
  void Add(const std::string& where, const absl::Status& status);
  // A key or ticket secrets: says so when others may read it.
  base::Secret ReadSecret(const std::string& where, const std::string& path);
  std::string Read(const std::string& where, const std::string& path);
  // Those of listeners: as the files have them, or as the running materials do. `listener` and
  // `host` are indices.
  std::vector<tls::ContextInput::Pair> ReadPresented(
      const std::string& where, const std::vector<config::CertificatePair>& pairs);
  const std::vector<tls::ContextInput::Pair>& KnownPairs(size_t listener, size_t host) const;
  std::vector<tls::ContextInput::Pair> ReadPairs(const std::string& where,
                                                 const std::vector<config::CertificatePair>& pairs);
  void ReadClientAuth(const std::string& where, const std::string& listener,
                      const config::ClientAuthConfig& config, tls::ContextInput::Host* host);

  // In materials_reader_trust.cc: what one trust's files hold.
  struct TrustFiles {
    tls::TrustInput input;
    std::vector<tls::CrlFile> lists;  // also those beside CAs
  };
  // Once, whatever has the same to say.
  void Warn(const std::string& where, const std::string& line);
  // Says what is wrong with a file, or not used of it.
  tls::PemContents Check(const std::string& where, const std::string& name, std::string_view text,
                         tls::PemUse use);
  tls::TrustInput ReadTrust(const std::string& where, const config::TrustConfig& config);
  // `may_lack`: a file that holds lists alone is no error.
  void ReadCas(const std::string& where, const std::string& path, bool may_lack,
               std::vector<tls::NamedPem>* files, TrustFiles* trust);
  void ReadDirectory(const std::string& where, const std::string& path, TrustFiles* trust);
  void ReadList(const std::string& where, const std::string& path, TrustFiles* trust);
  // An index that was made of the same files before, or null.
  const Materials::Revocation* FindRevocation(const std::string& key) const;
  std::string KeyOf(const TrustFiles& files) const;
  // The index of the trust's lists, from `previous` if nothing of it has changed.
  const tls::RevocationIndex* ReadRevocation(const std::string& where, TrustFiles* files);
  // An error if one of the lists is older than what it would replace.
  void PutInForce(const std::string& where, const Materials::Revocation& lists);
  // Says which lists of `cas`, by name, were in force and have no successor.
  void SayWhatIsGone(const std::string& where, const tls::RevocationIndex* index,
                     const std::set<std::string>& cas);
  // Says which CAs have no list, or can vouch for nobody.
  void LookAtCas(const std::string& where, const std::string& listener, const std::string& host,
                 bool is_candidate, const tls::TrustInput& trust);

  const LoadTerms* terms_;
  Materials* materials_;
  std::map<std::string, tls::Sha256>* marks_;  // of those, where files that are read now go
  Resolved resolved_;
  std::map<std::string, io::Address> known_;  // of names, from before
  std::vector<std::string> problems_;
  std::set<std::string> told_;    // the problems, to tell each once
  std::set<std::string> warned_;  // likewise
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_MATERIALS_READER_H_
