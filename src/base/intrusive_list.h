// A doubly linked list whose links live in its elements: no allocation, O(1) removal from the
// middle. An element that dies while linked is a programmer error.
#ifndef POSTERN_SRC_BASE_INTRUSIVE_LIST_H_
#define POSTERN_SRC_BASE_INTRUSIVE_LIST_H_

#include <cstddef>

#include "src/base/check.h"

namespace postern::base {

// Base class of elements; `Tag` tells several lists of one element apart.
template <typename Tag>
class ListNode {
 public:
  ListNode() = default;
  ~ListNode() { CHECK(!linked()); }
  ListNode(const ListNode&) = delete;
  ListNode& operator=(const ListNode&) = delete;

  bool linked() const { return next_ != nullptr; }

 private:
  template <typename T, typename U>
  friend class IntrusiveList;
  ListNode* next_ = nullptr;
  ListNode* previous_ = nullptr;
};

template <typename T, typename Tag>
class IntrusiveList {
 public:
  IntrusiveList() {
    head_.next_ = &head_;
    head_.previous_ = &head_;
  }
  ~IntrusiveList() {
    CHECK(empty());
    head_.next_ = nullptr;
  }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const { return head_.next_ == &head_; }
  size_t size() const { return size_; }

  void PushBack(T* element) { InsertBefore(&head_, element); }
  void PushFront(T* element) { InsertBefore(head_.next_, element); }

  T* Front() { return empty() ? nullptr : static_cast<T*>(head_.next_); }
  T* Back() { return empty() ? nullptr : static_cast<T*>(head_.previous_); }
  // The element after `element`, or null at the end.
  T* Next(T* element) {
    Node* next = static_cast<Node*>(element)->next_;
    return next == &head_ ? nullptr : static_cast<T*>(next);
  }

  T* PopFront() {
    T* element = Front();
    if (element != nullptr) {
      Remove(element);
    }
    return element;
  }

  // `element` must be in this list.
  void Remove(T* element) {
    Node* node = element;
    DCHECK(node->linked());
    node->previous_->next_ = node->next_;
    node->next_->previous_ = node->previous_;
    node->next_ = nullptr;
    node->previous_ = nullptr;
    --size_;
  }

 private:
  using Node = ListNode<Tag>;
  void InsertBefore(Node* position, T* element) {
    Node* node = element;
    CHECK(!node->linked());
    node->next_ = position;
    node->previous_ = position->previous_;
    position->previous_->next_ = node;
    position->previous_ = node;
    ++size_;
  }

  Node head_;
  size_t size_ = 0;
};

}  // namespace postern::base

#endif  // POSTERN_SRC_BASE_INTRUSIVE_LIST_H_
