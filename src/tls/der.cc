#include "src/tls/der.h"

#include <openssl/mem.h>

namespace postern::tls {
namespace {

// Days from 1970-01-01 in the proleptic Gregorian calendar; years begin in March, so that the leap
// day comes last.
int64_t DaysSinceEpoch(int64_t year, int64_t month, int64_t day) {
  if (month <= 2) {
    --year;
    month += 12;
  }
  const int64_t day_of_year = (153 * (month - 3) + 2) / 5 + day - 1;
  // One cycle of 400 years (146097 days) later, so that nothing is negative; from 0000-03-01 to
  // 1970-01-01 it is 719468 days.
  year += 400;
  return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 146'097 - 719'468;
}

int64_t DaysOfMonth(int64_t year, int64_t month) {
  static constexpr int64_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kDays[month - 1] + (month == 2 && leap ? 1 : 0);
}

bool ReadDigits(CBS* text, int count, int64_t* value) {
  *value = 0;
  for (int i = 0; i < count; ++i) {
    uint8_t c = 0;
    if (CBS_get_u8(text, &c) != 1 || c < '0' || c > '9') {
      return false;
    }
    *value = *value * 10 + (c - '0');
  }
  return true;
}

// Month to second, "Z" and the end.
bool ReadAfterYear(CBS* text, int64_t year, int64_t* seconds) {
  int64_t month = 0;
  int64_t day = 0;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  uint8_t zone = 0;
  if (!ReadDigits(text, 2, &month) || !ReadDigits(text, 2, &day) || !ReadDigits(text, 2, &hour) ||
      !ReadDigits(text, 2, &minute) || !ReadDigits(text, 2, &second) ||
      CBS_get_u8(text, &zone) != 1 || zone != 'Z' || CBS_len(text) != 0) {
    return false;
  }
  if (month < 1 || month > 12 || day < 1 || day > DaysOfMonth(year, month) || hour > 23 ||
      minute > 59 || second > 59) {
    return false;
  }
  *seconds = DaysSinceEpoch(year, month, day) * 86'400 + hour * 3600 + minute * 60 + second;
  return true;
}

}  // namespace

std::string OidText(const CBS& id) {
  bssl::UniquePtr<char> text(CBS_asn1_oid_to_text(&id));
  return text != nullptr ? text.get() : "not an object identifier";
}

std::string HexText(const CBS& bytes) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string text;
  for (uint8_t byte : SpanOf(bytes)) {
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

bool ReadInteger(CBS* in, CBS* content) {
  int is_negative = 0;
  if (CBS_get_asn1(in, content, CBS_ASN1_INTEGER) != 1 ||
      CBS_is_valid_asn1_integer(content, &is_negative) != 1) {
    return false;
  }
  // DER allows a single one: in front of a set bit, or as the number 0.
  if (*CBS_data(content) == 0) {
    CBS_skip(content, 1);
  }
  return true;
}

bool ReadUnsigned(CBS* in, CBS* content) {
  CBS copy = *in;
  CBS whole;
  return CBS_get_asn1(&copy, &whole, CBS_ASN1_INTEGER) == 1 &&
         CBS_is_unsigned_asn1_integer(&whole) == 1 && ReadInteger(in, content);
}

bool IsTime(const CBS& in) {
  return CBS_peek_asn1_tag(&in, CBS_ASN1_UTCTIME) == 1 ||
         CBS_peek_asn1_tag(&in, CBS_ASN1_GENERALIZEDTIME) == 1;
}

bool ReadTime(CBS* in, int64_t* seconds) {
  CBS text;
  unsigned tag = 0;
  int64_t year = 0;
  if (CBS_get_any_asn1(in, &text, &tag) != 1) {
    return false;
  }
  if (tag == CBS_ASN1_UTCTIME) {
    if (!ReadDigits(&text, 2, &year)) {
      return false;
    }
    year += year >= 50 ? 1900 : 2000;
    return ReadAfterYear(&text, year, seconds);
  }
  return tag == CBS_ASN1_GENERALIZEDTIME && ReadDigits(&text, 4, &year) &&
         ReadAfterYear(&text, year, seconds);
}

bool ReadOctetBits(CBS* in, CBS* octets) {
  uint8_t unused_bits = 0;
  return CBS_get_asn1(in, octets, CBS_ASN1_BITSTRING) == 1 &&
         CBS_get_u8(octets, &unused_bits) == 1 && unused_bits == 0;
}

bool ExtensionReader::Next(Extension* extension) {
  if (!ok_ || CBS_len(&rest_) == 0) {
    return false;
  }
  ok_ = Read(extension);
  return ok_;
}

bool ExtensionReader::Read(Extension* extension) {
  CBS sequence;
  if (CBS_get_asn1(&rest_, &sequence, CBS_ASN1_SEQUENCE) != 1 ||
      CBS_get_asn1(&sequence, &extension->id, CBS_ASN1_OBJECT) != 1) {
    return false;
  }
  // DER leaves a FALSE out; some authorities write it all the same.
  int critical = 0;
  if (CBS_peek_asn1_tag(&sequence, CBS_ASN1_BOOLEAN) == 1 &&
      CBS_get_asn1_bool(&sequence, &critical) != 1) {
    return false;
  }
  extension->critical = critical != 0;
  if (CBS_get_asn1(&sequence, &extension->value, CBS_ASN1_OCTETSTRING) != 1 ||
      CBS_len(&sequence) != 0 || seen_count_ == kExtensionsMax) {
    return false;
  }
  for (size_t i = 0; i < seen_count_; ++i) {
    if (Equal(extension->id, SpanOf(seen_[i]))) {
      return false;
    }
  }
  seen_[seen_count_++] = extension->id;
  return true;
}

}  // namespace postern::tls
