#include "src/control/certificate_list.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "src/tls/certificate_facts.h"

namespace postern::control {
namespace {

class Collector {
 public:
  explicit Collector(CertificateList* out) : out_(out) {}

  void AddPem(std::string_view role, const std::string& file, std::string_view pem) {
    if (!known_.emplace(role, file).second) {
      return;
    }
    for (tls::CertificateFacts& facts : tls::FactsOfCertificates(pem)) {
      out_->certificates.push_back(
          {role, file, std::move(facts.subject), facts.not_after_s, facts.not_before_s});
    }
  }
  void AddFiles(std::string_view role, const std::vector<tls::NamedPem>& files) {
    for (const tls::NamedPem& file : files) {
      AddPem(role, file.name, file.pem.view());
    }
  }
  void AddHost(const tls::ContextInput::Host& host) {
    for (const tls::KeyPair& pair : host.pairs) {
      AddPem("server", pair.certificate_name, pair.certificate_pem);
    }
    AddFiles("client_ca", host.trust.anchors);
    AddFiles("client_intermediate", host.trust.intermediates);
    if (host.candidate.has_value()) {
      AddFiles("candidate_ca", host.candidate->anchors);
      AddFiles("candidate_intermediate", host.candidate->intermediates);
    }
  }

 private:
  CertificateList* out_;
  std::set<std::pair<std::string_view, std::string>> known_;
};

}  // namespace

void CoverageList::Add(const std::string& listener, const std::string& host, bool is_candidate,
                       bool is_covered, const tls::CaCoverage& ca) {
  size_t& kept = is_covered ? kept_covered_ : kept_uncovered_;
  if (kept == kSizeMax) {
    ++left_out;
    return;
  }
  ++kept;
  entries.push_back({listener, host, is_candidate, is_covered, ca});
}

void CoverageList::Finish() {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return !a.is_covered && b.is_covered; });
  if (entries.size() > kSizeMax) {
    left_out += entries.size() - kSizeMax;
    entries.resize(kSizeMax);
  }
}

CertificateList ListCertificates(
    const std::vector<tls::ContextInput>& contexts,
    const std::vector<std::optional<tls::ClientContextInput>>& upstream_tls) {
  CertificateList list;
  Collector collector(&list);
  for (const tls::ContextInput& context : contexts) {
    for (const tls::ContextInput::Host& host : context.hosts) {
      collector.AddHost(host);
    }
  }
  for (const std::optional<tls::ClientContextInput>& input : upstream_tls) {
    if (!input.has_value()) {
      continue;
    }
    collector.AddFiles("upstream_ca", input->anchors);
    if (input->certificate.has_value()) {
      collector.AddPem("upstream", input->certificate->certificate_name,
                       input->certificate->certificate_pem);
    }
  }
  auto order = [](const CertificateList::Entry& entry) {
    return std::tie(entry.not_after_s, entry.role, entry.file);
  };
  std::stable_sort(list.certificates.begin(), list.certificates.end(),
                   [&order](const auto& a, const auto& b) { return order(a) < order(b); });
  if (list.certificates.size() > CertificateList::kSizeMax) {
    list.left_out = list.certificates.size() - CertificateList::kSizeMax;
    list.certificates.resize(CertificateList::kSizeMax);
  }
  return list;
}

}  // namespace postern::control
