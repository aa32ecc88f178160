#include "src/tls/identity_text.h"

#include <openssl/base64.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/pool.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <vector>

#include "src/tls/certificate_view.h"
#include "src/tls/name_text.h"
#include "src/tls/san.h"

namespace postern::tls {
namespace {

std::span<const uint8_t> Der(const CRYPTO_BUFFER* buffer) {
  return {CRYPTO_BUFFER_data(buffer), CRYPTO_BUFFER_len(buffer)};
}

std::string DerOf(X509* certificate) {
  uint8_t* der = nullptr;
  int size = i2d_X509(certificate, &der);
  bssl::UniquePtr<uint8_t> owned(der);
  return size > 0 ? std::string(reinterpret_cast<const char*>(der), static_cast<size_t>(size)) : "";
}

Sha256 HashOf(std::span<const uint8_t> bytes) {
  Sha256 hash;
  SHA256(bytes.data(), bytes.size(), hash.data());
  return hash;
}

std::span<const uint8_t> BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string Base64(std::span<const uint8_t> bytes) {
  std::string text;
  size_t size = 0;
  if (EVP_EncodedLength(&size, bytes.size()) == 1) {
    text.resize(size);
    text.resize(
        EVP_EncodeBlock(reinterpret_cast<uint8_t*>(text.data()), bytes.data(), bytes.size()));
  }
  return text;
}

bool SetSerial(std::span<const uint8_t> der, PathMember* member) {
  CertificateView view;
  return ParseCertificateView(der, &view) && member->SetSerial(view.serial);
}

bool SetMember(X509* certificate, X509* issuer, PathMember* member) {
  std::string der = DerOf(certificate);
  member->issuer_key = KeyIdOf(issuer);
  member->content = HashOf(BytesOf(der));
  return SetSerial(BytesOf(der), member);
}

// What both kinds of identity say of the leaf. The texts are kept by the caller.
struct LeafTexts {
  std::string subject;
  std::string issuer;
  std::string xfcc_names;

  PeerIdentity::Parts PartsOf(X509* leaf, IdentityContent content) {
    subject = NameText(X509_get_subject_name(leaf));
    issuer = NameText(X509_get_issuer_name(leaf));
    if (content.san_texts) {
      xfcc_names = XfccNames(SansOf(leaf));
    }
    PeerIdentity::Parts parts;
    parts.subject_dn = subject;
    parts.issuer_dn = issuer;
    parts.xfcc_names = xfcc_names;
    parts.not_before_s = SecondsOf(X509_get0_notBefore(leaf));
    parts.not_after_s = SecondsOf(X509_get0_notAfter(leaf));
    return parts;
  }
};

}  // namespace

IdentityContent ContentFor(const config::IdentityDialects& dialects, config::ClientAuth mode) {
  IdentityContent content;
  content.passthrough = mode == config::ClientAuth::kPassthrough;
  content.san_texts = dialects.xfcc;
  content.certificates = dialects.rfc9440 || (content.passthrough && dialects.aws);
  return content;
}

std::string SerialText(const X509* certificate) {
  bssl::UniquePtr<BIGNUM> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  bssl::UniquePtr<char> hex(number == nullptr ? nullptr : BN_bn2hex(number.get()));
  if (hex == nullptr) {
    return "";
  }
  std::string text = hex.get();
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

int64_t SecondsOf(const ASN1_TIME* time) {
  bssl::UniquePtr<ASN1_TIME> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) {
    return 0;
  }
  return int64_t{days} * 86400 + seconds;
}

bool IsInTime(const X509* certificate, int64_t now_s) {
  const ASN1_TIME* begin = X509_get0_notBefore(certificate);
  const ASN1_TIME* end = X509_get0_notAfter(certificate);
  // 0 of X509_cmp_time: it is no time as RFC 5280 writes it, whatever else can be read into it.
  time_t now = static_cast<time_t>(now_s);
  return X509_cmp_time(begin, &now) != 0 && X509_cmp_time(end, &now) != 0 &&
         SecondsOf(begin) <= now_s && now_s <= SecondsOf(end);
}

Sha256 ContentHash(X509* certificate) {
  return HashOf(BytesOf(DerOf(certificate)));
}

KeyId KeyIdOf(X509* certificate) {
  uint8_t* der = nullptr;
  int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  bssl::UniquePtr<uint8_t> owned(der);
  return size > 0 ? KeyIdOf(std::span<const uint8_t>(der, static_cast<size_t>(size))) : KeyId{};
}

bool SetFacts(const STACK_OF(X509) * path, int64_t now_s, PeerIdentity::Facts* facts) {
  size_t count = sk_X509_num(path);
  facts->anchor = ContentHash(sk_X509_value(path, count - 1));
  facts->verified = true;
  facts->authenticated_s = now_s;
  facts->trusted_until_s = INT64_MAX;
  for (const X509* certificate : path) {
    facts->trusted_until_s =
        std::min(facts->trusted_until_s, SecondsOf(X509_get0_notAfter(certificate)));
  }
  // A client that shows an anchor itself is its own member.
  facts->member_count = std::min(std::max<size_t>(count - 1, 1), PeerIdentity::kMembersMax);
  for (size_t i = 0; i < facts->member_count; ++i) {
    if (!SetMember(sk_X509_value(path, i), sk_X509_value(path, std::min(i + 1, count - 1)),
                   &facts->members[i])) {
      return false;
    }
  }
  return true;
}

bool SetLeafFacts(X509* leaf, X509* issuer, int64_t now_s, PeerIdentity::Facts* facts) {
  facts->authenticated_s = now_s;
  facts->trusted_until_s = std::min(facts->trusted_until_s, SecondsOf(X509_get0_notAfter(leaf)));
  facts->members[0] = {};
  return SetMember(leaf, issuer, &facts->members[0]);
}

bool SetVerifiedIdentity(const STACK_OF(X509) * path, const PeerIdentity::Facts& facts,
                         IdentityContent content, PeerIdentity* identity) {
  LeafTexts texts;
  PeerIdentity::Parts parts = texts.PartsOf(sk_X509_value(path, 0), content);
  std::string leaf_base64;
  std::string chain_base64;
  if (content.certificates) {
    leaf_base64 = Base64(BytesOf(DerOf(sk_X509_value(path, 0))));
    for (size_t i = 1; i + 1 < sk_X509_num(path); ++i) {
      chain_base64 += chain_base64.empty() ? "" : " ";
      chain_base64 += Base64(BytesOf(DerOf(sk_X509_value(path, i))));
    }
  }
  parts.leaf_base64 = leaf_base64;
  parts.chain_base64 = chain_base64;
  return identity->Set(parts, facts);
}

bool SetUnverifiedIdentity(const STACK_OF(CRYPTO_BUFFER) * chain, IdentityContent content,
                           int64_t now_s, PeerIdentity* identity) {
  CRYPTO_BUFFER* leaf_buffer = sk_CRYPTO_BUFFER_value(chain, 0);
  bssl::UniquePtr<X509> leaf(X509_parse_from_buffer(leaf_buffer));
  if (leaf == nullptr) {
    ERR_clear_error();
    return false;
  }
  LeafTexts texts;
  PeerIdentity::Parts parts = texts.PartsOf(leaf.get(), content);
  std::string leaf_base64;
  std::string chain_base64;
  if (content.certificates) {
    leaf_base64 = Base64(Der(leaf_buffer));
    for (size_t i = 1; i < sk_CRYPTO_BUFFER_num(chain); ++i) {
      chain_base64 += i == 1 ? "" : " ";
      chain_base64 += Base64(Der(sk_CRYPTO_BUFFER_value(chain, i)));
    }
  }
  parts.leaf_base64 = leaf_base64;
  parts.chain_base64 = chain_base64;
  PeerIdentity::Facts facts;
  facts.trusted_until_s = parts.not_after_s;
  facts.authenticated_s = now_s;
  facts.member_count = 1;
  facts.members[0].content = HashOf(Der(leaf_buffer));
  return SetSerial(Der(leaf_buffer), &facts.members[0]) && identity->Set(parts, facts);
}

}  // namespace postern::tls
