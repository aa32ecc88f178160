// Verification with all that is remembered, against verification that remembers nothing: chains of
// a small world, good ones and broken ones, come in random order, at random times, under two
// listeners whose trust keeps changing. Verdicts and descriptions must be the same each time.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "src/tls/certificate_view.h"
#include "src/tls/host_policy.h"
#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

using Chain = std::vector<std::string>;

class Dice {
 public:
  explicit Dice(uint32_t seed) : engine_(seed) {}
  // From 0 to `count` - 1.
  size_t Below(size_t count) { return engine_() % count; }
  bool OneIn(size_t count) { return Below(count) == 0; }
  template <typename List>
  const auto& Of(const List& list) {
    return list[Below(std::size(list))];
  }
  template <typename List>
  void Shuffle(List* list) {
    std::shuffle(list->begin(), list->end(), engine_);
  }

 private:
  std::mt19937 engine_;
};

// CAs and clients, few enough of each that names, keys, serial numbers and times meet.
class World {
 public:
  explicit World(Dice* dice) : dice_(dice) {
    for (const char* name : {"Root", "Root", "Other root", "Stranger"}) {
      CertOptions options = CaOptions(name);
      options.subject_key_id = dice_->OneIn(2) ? "hash" : "";
      options.not_after_s = kNow + Offset(6);
      AddCa(options, nullptr);
    }
    for (int i = 0; i < 20; ++i) {
      AddIntermediate();
    }
    for (int i = 0; i < 60; ++i) {
      AddLeaf();
    }
    for (int i = 0; i < 100; ++i) {
      chains_.push_back(MakeChain());
    }
    chains_.emplace_back();
  }

  const std::vector<Cert>& cas() const { return cas_; }
  const std::vector<Chain>& chains() const { return chains_; }
  // Near a time at which something begins or ends.
  int64_t SomeMoment() {
    return kNow + kStep * static_cast<int64_t>(dice_->Below(7)) +
           static_cast<int64_t>(dice_->Below(3)) - 1;
  }
  // Most things last long enough.
  int64_t Offset(size_t rarity) {
    return dice_->OneIn(rarity) ? kStep * static_cast<int64_t>(1 + dice_->Below(5)) : kDay;
  }

 private:
  static constexpr int64_t kStep = 100;
  static constexpr size_t kNobody = SIZE_MAX;

  void AddCa(CertOptions options, const Cert* issuer, const Cert* twin = nullptr) {
    options.public_key = twin != nullptr ? twin->key.get() : nullptr;
    Cert ca = MakeCert(options, issuer);
    if (twin != nullptr) {
      ca.key = bssl::UpRef(twin->key);
    }
    cas_.push_back(std::move(ca));
  }

  void AddIntermediate() {
    size_t parent = dice_->Below(cas_.size());
    size_t twin = dice_->OneIn(5) ? dice_->Below(cas_.size()) : kNobody;
    // Namesakes are rare, but there.
    size_t name = dice_->Below(dice_->OneIn(3) ? 4 : 100);
    CertOptions options = CaOptions("CA " + std::to_string(name));
    if (twin != kNobody) {
      // Cross-signed, or forged by whoever owns the parent.
      options.subject = NameOfCa(twin);
    }
    options.serial = 1 + dice_->Below(5);
    options.not_before_s = kNow - kDay + (dice_->OneIn(10) ? kDay + kStep : 0);
    options.not_after_s = kNow + Offset(6);
    static constexpr const char* kLengths[] = {"", "", "", ",pathlen:0", ",pathlen:1"};
    options.basic_constraints += dice_->Of(kLengths);
    options.extended_key_usage = dice_->OneIn(25) ? "serverAuth" : "";
    options.name_constraints = dice_->OneIn(12) ? "critical,permitted;DNS:.good.test" : "";
    options.netscape_comment = dice_->OneIn(30) ? "critical,unknown" : "";
    if (dice_->OneIn(3)) {
      options.key_usage = "critical,keyCertSign,digitalSignature";
    }
    AddIds(&options);
    AddCa(options, &cas_[parent], twin == kNobody ? nullptr : &cas_[twin]);
    parents_.resize(cas_.size(), kNobody);
    parents_.back() = parent;
  }

  std::function<void(X509_NAME*)> NameOfCa(size_t ca) const {
    return [this, ca](X509_NAME* name) {
      const X509_NAME* subject = X509_get_subject_name(cas_[ca].x509.get());
      CHECK(X509_NAME_add_entry(name, X509_NAME_get_entry(subject, 0), -1, 0) == 1);
    };
  }
  void AddIds(CertOptions* options) {
    static constexpr const char* kHints[] = {"", "keyid", "issuer:always"};
    options->subject_key_id = dice_->OneIn(2) ? "hash" : "";
    options->authority_key_id = dice_->Of(kHints);
  }

  void AddLeaf() {
    size_t parent = dice_->OneIn(2) ? dice_->Below(cas_.size()) : 4 + dice_->Below(6);
    CertOptions options;
    options.cn = "client";
    if (dice_->OneIn(8)) {
      options.key_usage = "critical,digitalSignature";
      options.subject = NameOfCa(parent);
    }
    options.serial = dice_->Below(5);
    options.not_before_s = kNow - kDay + (dice_->OneIn(8) ? kDay + kStep : 0);
    options.not_after_s = kNow + Offset(6);
    options.extended_key_usage = dice_->OneIn(20) ? "serverAuth" : "clientAuth";
    static constexpr const char* kNames[] = {"", "DNS:a.good.test", "DNS:a.bad.test"};
    options.subject_alt_name = dice_->Of(kNames);
    options.netscape_comment = dice_->OneIn(25) ? "critical,unknown" : "";
    options.bad_signature = dice_->OneIn(15);
    AddIds(&options);
    bssl::UniquePtr<EVP_PKEY> rsa;
    if (dice_->OneIn(8)) {
      rsa = MakeHugeRsaPublicKey(dice_->OneIn(4) ? 1024 : 2048);
      options.public_key = rsa.get();
    }
    leaves_.push_back({MakeCert(options, &cas_[parent]).der, parent});
  }

  Chain MakeChain() {
    const Leaf leaf = dice_->OneIn(10) ? SomeCa() : dice_->Of(leaves_);
    Chain chain = {leaf.der};
    for (size_t ca = leaf.parent; ca != kNobody; ca = parents_[ca]) {
      if (parents_[ca] != kNobody || dice_->OneIn(4)) {
        chain.push_back(cas_[ca].der);
      }
    }
    if (dice_->OneIn(4)) {
      Spoil(&chain);
    }
    return chain;
  }

  void Spoil(Chain* chain) {
    auto some_place = [&] { return chain->begin() + 1 + Signed(dice_->Below(chain->size())); };
    switch (dice_->Below(5)) {
      case 0:
        dice_->Shuffle(chain);
        break;
      case 1:
        chain->insert(some_place(), std::string(dice_->Of(*chain)));
        break;
      case 2:
        chain->erase(chain->begin() + Signed(dice_->Below(chain->size())));
        break;
      case 3:
        chain->insert(some_place(), dice_->OneIn(5) ? "no certificate" : dice_->Of(cas_).der);
        break;
      default:
        for (int i = 0; i < 2; ++i) {
          chain->insert(some_place(), dice_->Of(cas_).der);
        }
    }
  }

  struct Leaf {
    std::string der;
    size_t parent;
  };
  Leaf SomeCa() {
    size_t ca = dice_->Below(cas_.size());
    return {cas_[ca].der, parents_[ca]};
  }
  static ptrdiff_t Signed(size_t place) { return static_cast<ptrdiff_t>(place); }

  Dice* dice_;
  std::vector<Cert> cas_;
  std::vector<size_t> parents_ = std::vector<size_t>(4, kNobody);
  std::vector<Leaf> leaves_;
  std::vector<Chain> chains_;
};

// One listener's trust in clients, reloaded now and then, a part of it at a time.
class Listener {
 public:
  Listener(std::string name, Dice* dice, World* world) : dice_(dice), world_(world) {
    input_.listener_name = std::move(name);
    ChooseAnchors();
    ChooseLists();
    Load();
  }

  void Reload() {
    config::TrustConfig& terms = host().trust.terms;
    switch (dice_->Below(8)) {
      case 0:
        ChooseAnchors();
        break;
      case 1:
        host().trust.intermediates = SomeOf(3);
        break;
      case 2:
        terms.verify_depth = dice_->OneIn(2) ? 4 : 1 + static_cast<uint32_t>(dice_->Below(3));
        break;
      case 3:
        terms.rsa_bits_min = dice_->OneIn(4) ? 3072 : 2048;
        break;
      case 4:
        terms.allowed_sans.clear();
        if (dice_->OneIn(4)) {
          terms.allowed_sans = {{config::SanPattern::Type::kDns, "*.good.test"}};
        }
        break;
      case 5:
        terms.crl_scope = dice_->OneIn(2) ? config::CrlScope::kLeaf : config::CrlScope::kChain;
        terms.stale_crl = dice_->OneIn(3) ? config::StaleCrl::kRefuse : config::StaleCrl::kWarn;
        terms.missing_crl = static_cast<config::MissingCrl>(dice_->OneIn(10));
        break;
      case 6:
        input_.dialects.rfc9440 = dice_->OneIn(2);
        input_.dialects.xfcc = dice_->OneIn(2);
        break;
      default:
        ChooseLists();
    }
    Load();
  }

  const HostPolicy& policy() const { return *policy_; }
  const TrustInput& trust() const { return input_.hosts[0].trust; }

 private:
  ContextInput::Host& host() { return input_.hosts[0]; }

  void Load() {
    auto policy = HostPolicy::Create(input_, host());
    CHECK(policy.ok());
    policy_ = std::make_unique<HostPolicy>(*std::move(policy));
  }
  std::vector<NamedPem> SomeOf(size_t count_max) {
    std::vector<NamedPem> files;
    for (size_t i = dice_->Below(count_max + 1); i > 0; --i) {
      files.push_back({"ca.pem", dice_->Of(world_->cas()).pem()});
    }
    return files;
  }
  void ChooseAnchors() {
    host().trust.anchors = SomeOf(2);
    for (size_t root = 0; root < 3; ++root) {
      if (!dice_->OneIn(6)) {
        host().trust.anchors.push_back({"ca.pem", world_->cas()[root].pem()});
      }
    }
    host().trust.anchors.push_back({"ca.pem", dice_->Of(world_->cas()).pem()});
    dice_->Shuffle(&host().trust.anchors);
  }
  void ChooseLists() {
    RevocationIndex::Builder builder(100);
    for (const Cert& ca : world_->cas()) {
      if (dice_->OneIn(4)) {
        CertificateView view;
        CHECK(ParseCertificateView(Bytes(ca.der), &view));
        KeyId key = KeyIdOf(view.spki);
        builder.AddList(
            {.name = "list.crl", .issuer_key = key, .next_update_s = kNow + world_->Offset(3)});
        builder.AddEntry(key, std::array{static_cast<uint8_t>(1 + dice_->Below(5))});
      }
    }
    // Whoever still looks into the former one is gone with its policy.
    policy_.reset();
    revocation_ = builder.Build();
    host().trust.revocation = revocation_.get();
  }

  Dice* dice_;
  World* world_;
  ContextInput input_ = BasicInput(config::ClientAuth::kRequire);
  std::unique_ptr<RevocationIndex> revocation_;
  std::unique_ptr<HostPolicy> policy_;
};

// All that is said of one client, in one string.
std::string Describe(Reason reason, const Refusal& refusal, const PeerIdentity& identity) {
  std::string text(NameOf(reason));
  auto add = [&text](std::string_view part) {
    text += '\n';
    text += part;
  };
  for (std::string_view part :
       {refusal.subject.view(), refusal.issuer.view(), refusal.serial.view()}) {
    add(part);
  }
  add(std::to_string(refusal.depth));
  PeerIdentity::Parts parts = identity.parts();
  for (std::string_view part : {parts.subject_dn, parts.issuer_dn, parts.serial, parts.fingerprint,
                                parts.xfcc_names, parts.leaf_base64, parts.chain_base64}) {
    add(part);
  }
  for (int64_t time : {parts.not_before_s, parts.not_after_s, parts.trusted_until_s,
                       parts.authenticated_s, int64_t{parts.verified}}) {
    add(std::to_string(time));
  }
  PeerIdentity::Facts facts = identity.facts();
  auto add_bytes = [&add](const auto& bytes) {
    add({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  };
  add_bytes(facts.anchor);
  for (size_t i = 0; i < facts.member_count; ++i) {
    add_bytes(facts.members[i].issuer_key.bytes);
    add_bytes(facts.members[i].content);
    add_bytes(facts.members[i].serial());
  }
  return text;
}

class ChainEquivalence : public ::testing::Test {
 protected:
  std::string Judge(Verifier* verifier, const Chain& chain, const Verifier::Desk& desk,
                    IdentityContent content) {
    bssl::UniquePtr<STACK_OF(CRYPTO_BUFFER)> stack(sk_CRYPTO_BUFFER_new_null());
    for (const std::string& der : chain) {
      bssl::PushToStack(stack.get(), bssl::UniquePtr<CRYPTO_BUFFER>(CRYPTO_BUFFER_new(
                                         Bytes(der).data(), der.size(), nullptr)));
    }
    PeerIdentity identity(&pool_);
    Refusal refusal;
    Reason reason = verifier->Verify(stack.get(), desk, content, &identity, &refusal);
    return Describe(reason, refusal, identity);
  }

  void Play(uint32_t seed) {
    Dice dice(seed);
    World world(&dice);
    Listener listeners[] = {{"one", &dice, &world}, {"two", &dice, &world}};
    int64_t now_s = kNow;
    Counters uncounted;
    for (int step = 0; step < 2000; ++step) {
      Listener& listener = listeners[dice.Below(2)];
      if (dice.OneIn(60)) {
        listener.Reload();
      }
      if (dice.OneIn(25)) {
        now_s = world.SomeMoment();
      }
      // Some come more often than others.
      const Chain& chain = world.chains()[dice.Below(dice.OneIn(2) ? world.chains().size() : 20)];
      const HostPolicy& policy = listener.policy();
      auto whole = Verifier::Create(listener.trust());
      CHECK(whole.ok());
      ASSERT_EQ(
          Judge(policy.verifier.get(), chain,
                {.now_s = now_s, .chains = &chains_, .counters = &counters_}, policy.content),
          Judge(whole->get(), chain, {.now_s = now_s, .counters = &uncounted}, policy.content))
          << "seed " << seed << ", step " << step;
    }
  }

  base::Arena arena_{size_t{64} << 20};
  base::BlockPool pool_{&arena_};
  // Not enough for all of them.
  ChainCache chains_{&arena_, &pool_, 50'000};
  Counters counters_;
};

TEST_F(ChainEquivalence, TheSameVerdictsAndDescriptions) {
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    ASSERT_NO_FATAL_FAILURE(Play(seed));
  }
  // They were about something.
  EXPECT_GT(counters_.chains_verified, 400u);
  EXPECT_GT(counters_.chains_recalled, 80u);
  EXPECT_GT(counters_.issuers_recalled, 50u);
  EXPECT_GT(chains_.stats().evictions, 30u);
}

}  // namespace
}  // namespace postern::tls
