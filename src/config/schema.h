// The messages of postern.proto. Generated code does not meet the house's warnings.
#ifndef POSTERN_SRC_CONFIG_SCHEMA_H_
#define POSTERN_SRC_CONFIG_SCHEMA_H_

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#include "src/config/postern.pb.h"
#pragma GCC diagnostic pop

#endif  // POSTERN_SRC_CONFIG_SCHEMA_H_
