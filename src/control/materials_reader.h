// Reads what a configuration names, and collects what is wrong: one line each, none twice. Internal
// to control/.
#ifndef POSTERN_SRC_CONTROL_MATERIALS_READER_H_
#define POSTERN_SRC_CONTROL_MATERIALS_READER_H_

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/secret.h"
#include "src/control/loader.h"
#include "src/tls/crl.h"
#include "src/tls/crl_coverage.h"
#include "src/tls/pem_use.h"
#include "src/tls/trust_input.h"

namespace postern::control {

// The octets of a hash.
std::string TextOf(const tls::Sha256& hash);

// Where the lists of the trust `where` are, in messages and for ListHistory.
std::string ListsOf(const std::string& where);

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
  std::vector<tls::KeyPair> ReadPresented(
      const std::string& where, const std::vector<config::CertificatePair>& pairs);
  const std::vector<tls::KeyPair>& KnownPairs(size_t listener, size_t host) const;
  std::vector<tls::KeyPair> ReadPairs(const std::string& where,
                                                 const std::vector<config::CertificatePair>& pairs);
  void ReadClientAuth(const std::string& where, const std::string& listener,
                      const config::ClientAuthConfig& config, tls::ContextInput::Host* host);

  // In materials_reader_trust.cc. A file of CAs, read once for all who name it.
  struct CaFile {
    tls::SharedText certificates;
    bool has_certificates = false;
    bool has_lists = false;
    std::string whole;  // with the lists, if there are any
    // SHA-256 of each certificate, sorted; made when it is asked for.
    std::optional<std::vector<tls::Sha256>> hashes;
  };
  // What is to be said of a trust's CAs: depends on whether the lack of a list matters.
  struct Said {
    std::vector<bool> is_covered;
    // Whose lack of a list is not said; by name.
    std::set<std::string> silent;
  };
  // What one set of files holds, for all who trust them, under whatever terms.
  struct Trust {
    std::vector<tls::NamedPem> anchors;
    std::vector<tls::NamedPem> intermediates;
    std::vector<tls::CrlFile> lists;  // also those beside CAs; read when they have to be indexed
    std::optional<Materials::Revocation> revocation;
    std::optional<std::vector<tls::Sha256>> hashes;  // made when they are asked for
    std::vector<tls::CaCoverage> cas;
    std::map<uint32_t, std::vector<std::string>> useless;  // lines, by rsa_bits_min
    std::map<std::pair<config::MissingCrl, config::CrlScope>, Said> said;
  };
  // Once, whatever has the same to say.
  void Warn(const std::string& where, const std::string& line);
  // Says what is wrong with a file, or not used of it.
  tls::PemContents Check(const std::string& where, const std::string& name, std::string_view text,
                         tls::PemUse use);
  // Whose trust is read: texts for messages, and what the coverage list calls it.
  struct Truster {
    std::string where;
    std::string listener;
    std::string host;
    bool is_candidate = false;
  };
  tls::TrustInput ReadTrust(const Truster& truster, const config::TrustConfig& config);
  Trust* TrustOf(const std::string& where, const config::TrustConfig& config);
  CaFile& CaFileOf(const std::string& where, const std::string& path, tls::PemUse use);
  // `may_lack`: a file that holds lists alone is no error.
  void ReadCas(const std::string& where, const std::string& path, bool may_lack,
               std::vector<tls::NamedPem>* files, Trust* trust);
  void ReadDirectory(const std::string& where, const std::string& path, Trust* trust);
  void ReadList(const std::string& where, const std::string& path, Trust* trust);
  // The index of the trust's lists: one that was made of the same files, or a new one. None without
  // lists, or with an error.
  std::optional<Materials::Revocation> ReadRevocation(const std::string& where, Trust* trust);
  const Materials::Revocation* FindRevocation(const std::string& key, Trust* trust);
  // SHA-256 of each certificate of the trust, sorted.
  const std::vector<tls::Sha256>& HashesOf(Trust* trust);
  std::string KeyOf(const Trust& trust) const;
  // The contents of those lists that have been left out as they had been read for others.
  void ReadListsAgain(const std::string& where, Trust* trust);
  // An error if one of the lists is older than what it would replace.
  void PutInForce(const std::string& where, const Materials::Revocation& lists);

  // In materials_reader_coverage.cc: says which CAs have no list, or can vouch for nobody.
  void LookAtCas(const Truster& truster, const config::TrustConfig& terms, Trust* trust);
  Said SayWhatLacks(const std::string& where, const config::TrustConfig& terms, const Trust& trust);
  // Says which lists of `cas`, by name, were in force and have no successor.
  void SayWhatIsGone(const std::string& where, const tls::RevocationIndex* index,
                     const std::set<std::string>& cas);

  const LoadTerms* terms_;
  Materials* materials_;
  std::map<std::string, tls::Sha256>* marks_;  // of those, where files that are read now go
  Resolved resolved_;
  std::map<std::string, io::Address> known_;  // of names, from before
  std::vector<std::string> problems_;
  std::map<std::pair<tls::PemUse, std::string>, CaFile> ca_files_;  // by path
  std::set<std::string> list_files_;                                // that have been read, by path
  std::map<std::vector<std::string>, std::unique_ptr<Trust>> trusts_;
  std::set<std::string> told_;    // the problems, to tell each once
  std::set<std::string> warned_;  // likewise
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_MATERIALS_READER_H_
