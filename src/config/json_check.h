// What protobuf's reader of JSON lets pass, with the place where it stands: a name that is given
// twice in one object, of which it would merge the values or take the last, and a null, which it
// would pass over.
#ifndef POSTERN_SRC_CONFIG_JSON_CHECK_H_
#define POSTERN_SRC_CONFIG_JSON_CHECK_H_

#include <string>

#include "src/config/diagnostics.h"

namespace postern::config {

// Adds what is wrong with `text` as JSON (RFC 8259), each null, and each name that is there twice;
// "via_name" and "viaName" are one, as they are to protobuf. Objects and arrays may lie in each
// other `depth_max` deep.
void CheckJson(const std::string& text, int depth_max, Diagnostics* diagnostics);

}  // namespace postern::config

#endif  // POSTERN_SRC_CONFIG_JSON_CHECK_H_
