// The page for people, as embed.py makes it from page/: one HTML text with its style and its
// scripts inside. Internal to admin/.
#ifndef POSTERN_SRC_ADMIN_PAGE_TEXT_H_
#define POSTERN_SRC_ADMIN_PAGE_TEXT_H_

#include <string_view>

namespace postern::admin {

// Between them stands the token, or nothing where nothing can be changed.
extern const std::string_view kPageBeforeToken;
extern const std::string_view kPageAfterToken;
// Its Content-Security-Policy: this style and these scripts by their hashes, requests to us alone.
extern const std::string_view kPagePolicy;

}  // namespace postern::admin

#endif  // POSTERN_SRC_ADMIN_PAGE_TEXT_H_
