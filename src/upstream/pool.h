// Idle connections to one server, in one shard: last in, first out, so that a falling load lets the
// rest age and close.
#ifndef POSTERN_SRC_UPSTREAM_POOL_H_
#define POSTERN_SRC_UPSTREAM_POOL_H_

#include <cstddef>

#include "src/base/intrusive_list.h"

namespace postern::upstream {

struct PoolTag {};

template <typename Connection>
class Pool {
 public:
  // The newest idle connection, taken out, or null.
  Connection* Take() {
    Connection* connection = idle_.Back();
    if (connection != nullptr) {
      idle_.Remove(connection);
    }
    return connection;
  }
  void Put(Connection* connection) { idle_.PushBack(connection); }
  // The connection has ended or is being used.
  void Remove(Connection* connection) { idle_.Remove(connection); }
  // The one idle for longest, left in.
  Connection* Oldest() { return idle_.Front(); }
  size_t size() const { return idle_.size(); }

 private:
  base::IntrusiveList<Connection, PoolTag> idle_;
};

}  // namespace postern::upstream

#endif  // POSTERN_SRC_UPSTREAM_POOL_H_
