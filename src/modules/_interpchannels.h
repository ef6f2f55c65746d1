/* Channels between interpreters: what the module _interpchannels stands on (_interpchannels_store.c). No Python object in here. */
#ifndef TAIPAN_MODULES_INTERPCHANNELS_H
#define TAIPAN_MODULES_INTERPCHANNELS_H

#include "runtime/crossinterp.h"

enum { CHANNEL_SEND = 1, CHANNEL_RECV = 2 };                /* an end; 0 is both */

typedef enum ChannelProblem {
    CHANNEL_FINE, CHANNEL_NOT_FOUND, CHANNEL_CLOSED, CHANNEL_CLOSED_WAITING, CHANNEL_END_CLOSED, CHANNEL_EMPTY, CHANNEL_NOT_EMPTY,
    CHANNEL_NO_MEMORY,
} ChannelProblem;

/* A sender that waits for its item to be received. Two own it: the sender, and the item until somebody releases the lock. */
typedef struct Waiting { PyThread_type_lock lock; int owners; bool received; } Waiting;

Waiting *waiting_new(void);                                 /* with both owners; NULL: no memory */
void waiting_drop(Waiting *waiting);

typedef struct ChannelItem {
    struct ChannelItem *next;
    int64_t interp;
    SharedValue *value;                                     /* NULL: unbound */
    Waiting *waiting;
    int unbound_op;
} ChannelItem;

/* Frees a chain of items and tells those who wait. Without the lock. */
void channel_items_free(ChannelItem *items, bool received);

typedef enum EndState { END_NONE, END_OPEN, END_RELEASED } EndState;

typedef struct ChannelInfo {
    bool open, closing, closed;
    Py_ssize_t count, send, send_released, recv, recv_released, both, both_released, both_send_released, both_recv_released;
    EndState self_send, self_recv;                          /* of the asking interpreter */
} ChannelInfo;

typedef struct ChannelEntry { int64_t id; int unbound_op; } ChannelEntry;

int64_t channel_new(int unbound_op);                        /* -1: no memory */
ChannelProblem channel_destroy(int64_t id);
bool channel_name(int64_t id);                              /* one more ChannelID; false when there is no such channel */
void channel_unname(int64_t id);                            /* the last one takes the channel along */
ChannelEntry *channel_list(size_t *n);                      /* malloc'ed; NULL: no memory */

ChannelProblem channel_may_send(int64_t id);
/* Owns value and waiting afterwards, unless there is a problem. */
ChannelProblem channel_put(int64_t id, int64_t interp, SharedValue *value, int unbound_op, Waiting *waiting);
ChannelProblem channel_get(int64_t id, int64_t interp, ChannelItem **item);
/* The item that somebody waits for is taken out again: true unless it is already gone. */
bool channel_take_back(int64_t id, Waiting *waiting);
ChannelProblem channel_close(int64_t id, int end, bool force);
ChannelProblem channel_release(int64_t id, int64_t interp, int end);
ChannelProblem channel_is_associated(int64_t id, int64_t interp, bool send, bool *associated);
ChannelProblem channel_count(int64_t id, Py_ssize_t *count, int *unbound_op);   /* either may be NULL */
ChannelProblem channel_info(int64_t id, int64_t interp, ChannelInfo *info);
void channels_forget(int64_t interp);                       /* it ends */

#endif
