/* Channels between interpreters (_interpchannels.h): lists in C memory under Process's lock. */
#include "modules/_interpchannels.h"
#include "modules/interpshared.h"

#include <stdlib.h>

#define P (&_PyRuntime.runtime)

typedef struct ChannelEnd { struct ChannelEnd *next; int64_t interp; bool open; } ChannelEnd;

typedef struct SharedChannel {
    struct SharedChannel *next;
    int64_t id, names;
    bool open, closing;                                     /* closing: no more sending, closed when empty */
    int unbound_op;
    Py_ssize_t count;
    ChannelItem *first, *last;
    ChannelEnd *ends[2];                                    /* of CHANNEL_SEND, of CHANNEL_RECV; oldest first */
} SharedChannel;

/* ---- those who wait ------------------------------------------------------------------------------------------------------ */

Waiting *waiting_new(void)
{
    Waiting *waiting = calloc(1, sizeof *waiting);
    if (waiting && !(waiting->lock = PyThread_allocate_lock())) {
        free(waiting);
        return NULL;
    }
    if (!waiting) return NULL;
    waiting->owners = 2;
    PyThread_acquire_lock(waiting->lock, 1);
    return waiting;
}

void waiting_drop(Waiting *waiting)
{
    if (__atomic_sub_fetch(&waiting->owners, 1, __ATOMIC_ACQ_REL) > 0) return;
    PyThread_free_lock(waiting->lock);
    free(waiting);
}

static void waiting_tell(Waiting *waiting, bool received)
{
    waiting->received = received;
    PyThread_release_lock(waiting->lock);
    waiting_drop(waiting);
}

void channel_items_free(ChannelItem *items, bool received)
{
    for (ChannelItem *next; items; items = next) {
        next = items->next;
        crossinterp_value_free(items->value);
        if (items->waiting) waiting_tell(items->waiting, received);
        free(items);
    }
}

/* ---- under the lock -------------------------------------------------------------------------------------------------------- */

static SharedChannel **channel_place(int64_t id)
{
    SharedChannel **place = &P->channels;
    while (*place && (*place)->id != id) place = &(*place)->next;
    return place;
}

static ChannelProblem channel_find(int64_t id, SharedChannel **channel)
{
    SharedChannel *c = *channel = *channel_place(id);
    return !c ? CHANNEL_NOT_FOUND : !c->open ? CHANNEL_CLOSED : CHANNEL_FINE;
}

static ChannelEnd **end_place(SharedChannel *c, int64_t interp, int end)
{
    ChannelEnd **place = &c->ends[end - 1];
    while (*place && (*place)->interp != interp) place = &(*place)->next;
    return place;
}

static EndState end_state(SharedChannel *c, int64_t interp, int end)
{
    ChannelEnd *e = *end_place(c, interp, end);
    return !e ? END_NONE : e->open ? END_OPEN : END_RELEASED;
}

static ChannelEnd *end_add(SharedChannel *c, int64_t interp, int end)
{
    ChannelEnd **place = end_place(c, interp, end);
    if (!*place && (*place = calloc(1, sizeof **place))) **place = (ChannelEnd){ .interp = interp, .open = true };
    return *place;
}

static ChannelProblem end_associate(SharedChannel *c, int64_t interp, int end)
{
    ChannelEnd *e = end_add(c, interp, end);
    return !e ? CHANNEL_NO_MEMORY : e->open ? CHANNEL_FINE : CHANNEL_END_CLOSED;
}

/* Open while any end is, and until there is one. */
static bool any_open(SharedChannel *c)
{
    if (!c->ends[0] && !c->ends[1]) return true;
    for (int i = 0; i < 2; i++)
        for (ChannelEnd *e = c->ends[i]; e; e = e->next)
            if (e->open) return true;
    return false;
}

static void ends_close(SharedChannel *c)
{
    for (int i = 0; i < 2; i++)
        for (ChannelEnd *e = c->ends[i]; e; e = e->next) e->open = false;
}

static ChannelItem *items_take(SharedChannel *c)
{
    ChannelItem *items = c->first;
    c->first = c->last = NULL;
    c->count = 0;
    return items;
}

static void channel_finish(SharedChannel *c)
{
    c->open = c->closing = false;
    ends_close(c);
}

static void channel_free(SharedChannel *c)                  /* without the lock */
{
    if (!c) return;
    channel_items_free(c->first, false);
    for (int i = 0; i < 2; i++)
        for (ChannelEnd *e = c->ends[i], *next; e; e = next) {
            next = e->next;
            free(e);
        }
    free(c);
}

/* ---- life ----------------------------------------------------------------------------------------------------------------- */

int64_t channel_new(int unbound_op)
{
    SharedChannel *c = calloc(1, sizeof *c);
    if (!c) return -1;
    shared_lock();
    int64_t id = P->next_channel_id++;
    *c = (SharedChannel){ .next = P->channels, .id = id, .open = true, .unbound_op = unbound_op };
    P->channels = c;
    shared_unlock();
    return id;
}

ChannelProblem channel_destroy(int64_t id)
{
    shared_lock();
    SharedChannel **place = channel_place(id), *c = *place;
    if (c) *place = c->next;
    shared_unlock();
    channel_free(c);
    return c ? CHANNEL_FINE : CHANNEL_NOT_FOUND;
}

bool channel_name(int64_t id)
{
    shared_lock();
    SharedChannel *c = *channel_place(id);
    if (c) c->names++;
    shared_unlock();
    return c;
}

void channel_unname(int64_t id)
{
    shared_lock();
    SharedChannel **place = channel_place(id), *c = *place;
    if (c && c->names > 0 && --c->names == 0) *place = c->next;
    else c = NULL;
    shared_unlock();
    channel_free(c);
}

ChannelEntry *channel_list(size_t *n)
{
    *n = 0;
    shared_lock();
    size_t size = 1;
    for (SharedChannel *c = P->channels; c; c = c->next) size++;
    ChannelEntry *entries = malloc(size * sizeof *entries);
    for (SharedChannel *c = P->channels; entries && c; c = c->next) entries[(*n)++] = (ChannelEntry){ c->id, c->unbound_op };
    shared_unlock();
    return entries;
}

ChannelProblem channel_close(int64_t id, int end, bool force)
{
    ChannelItem *items = NULL;
    SharedChannel *c;
    shared_lock();
    ChannelProblem problem = channel_find(id, &c);
    if (!problem && !force && end == CHANNEL_SEND && c->closing) problem = CHANNEL_CLOSED;
    else if (!problem && !force && c->count) {
        if (end == CHANNEL_SEND) c->closing = true;
        else problem = CHANNEL_NOT_EMPTY;
    }
    else if (!problem) {
        items = items_take(c);
        channel_finish(c);
    }
    shared_unlock();
    channel_items_free(items, false);
    return problem;
}

ChannelProblem channel_release(int64_t id, int64_t interp, int end)
{
    SharedChannel *c;
    shared_lock();
    ChannelProblem problem = channel_find(id, &c);
    for (int which = CHANNEL_SEND; !problem && which <= CHANNEL_RECV; which++) {
        if (end && end != which) continue;
        ChannelEnd *e = end_add(c, interp, which);
        if (e) e->open = false;
        else problem = CHANNEL_NO_MEMORY;
    }
    if (c && !problem) c->open = any_open(c);
    shared_unlock();
    return problem;
}

/* What an ending interpreter sent goes or becomes unbound. Its values are chained up to be freed without the lock. */
static ChannelItem *channel_forget(SharedChannel *c, int64_t interp)
{
    ChannelItem *gone = NULL, *last = NULL;
    for (ChannelItem **place = &c->first, *item; (item = *place);) {
        if (item->interp == interp && item->value) {
            ChannelItem *husk = item;
            if (item->unbound_op == UNBOUND_REMOVE) {
                *place = item->next;
                c->count--;
                husk->next = gone;
                gone = husk;
                continue;
            }
            if ((husk = calloc(1, sizeof *husk))) {         /* when there is no memory for it the value leaks */
                *husk = (ChannelItem){ .next = gone, .value = item->value, .waiting = item->waiting };
                gone = husk;
            }
            item->value = NULL;
            item->waiting = NULL;
        }
        last = item;
        place = &item->next;
    }
    c->last = last;
    for (int end = CHANNEL_SEND; end <= CHANNEL_RECV; end++) {
        ChannelEnd *e = *end_place(c, interp, end);
        if (e) e->open = false;
    }
    c->open = c->open && any_open(c);
    return gone;
}

void channels_forget(int64_t interp)
{
    ChannelItem *gone = NULL;
    shared_lock();
    for (SharedChannel *c = P->channels; c; c = c->next) {
        ChannelItem *items = channel_forget(c, interp), **end = &items;
        while (*end) end = &(*end)->next;
        *end = gone;
        gone = items;
    }
    shared_unlock();
    channel_items_free(gone, false);
}

/* ---- traffic ---------------------------------------------------------------------------------------------------------------- */

ChannelProblem channel_may_send(int64_t id)
{
    SharedChannel *c;
    shared_lock();
    ChannelProblem problem = channel_find(id, &c);
    if (!problem && c->closing) problem = CHANNEL_CLOSED;
    shared_unlock();
    return problem;
}

ChannelProblem channel_put(int64_t id, int64_t interp, SharedValue *value, int unbound_op, Waiting *waiting)
{
    ChannelItem *item = calloc(1, sizeof *item);
    if (!item) return CHANNEL_NO_MEMORY;
    *item = (ChannelItem){ .interp = interp, .value = value, .waiting = waiting, .unbound_op = unbound_op };
    SharedChannel *c;
    shared_lock();
    ChannelProblem problem = channel_find(id, &c);
    if (!problem && c->closing) problem = CHANNEL_CLOSED;
    if (!problem && !(problem = end_associate(c, interp, CHANNEL_SEND))) {
        if (c->first) c->last->next = item;
        else c->first = item;
        c->last = item;
        c->count++;
    }
    shared_unlock();
    if (problem) free(item);
    return problem;
}

ChannelProblem channel_get(int64_t id, int64_t interp, ChannelItem **item)
{
    *item = NULL;
    SharedChannel *c;
    shared_lock();
    ChannelProblem problem = channel_find(id, &c);
    if (!problem && !(problem = end_associate(c, interp, CHANNEL_RECV))) {
        if ((*item = c->first)) {
            if (!(c->first = (*item)->next)) c->last = NULL;
            (*item)->next = NULL;
            c->count--;
        }
        else problem = CHANNEL_EMPTY;
        if (c->closing && !c->count) channel_finish(c);
    }
    shared_unlock();
    return problem;
}

bool channel_take_back(int64_t id, Waiting *waiting)
{
    ChannelItem *found = NULL, *last = NULL;
    shared_lock();
    SharedChannel *c = *channel_place(id);
    for (ChannelItem **place = c ? &c->first : NULL; place && *place;) {
        if ((*place)->waiting == waiting) {
            found = *place;
            *place = found->next;
            found->next = NULL;
            c->count--;
            continue;
        }
        last = *place;
        place = &last->next;
    }
    if (c) c->last = last;
    if (found && c->closing && !c->count) channel_finish(c);
    shared_unlock();
    channel_items_free(found, false);
    return found;
}

/* ---- questions ---------------------------------------------------------------------------------------------------------------- */

ChannelProblem channel_is_associated(int64_t id, int64_t interp, bool send, bool *associated)
{
    SharedChannel *c;
    shared_lock();
    ChannelProblem problem = channel_find(id, &c);
    if (!problem && send && c->closing) problem = CHANNEL_CLOSED;
    *associated = !problem && end_state(c, interp, send ? CHANNEL_SEND : CHANNEL_RECV) == END_OPEN;
    shared_unlock();
    return problem;
}

ChannelProblem channel_count(int64_t id, Py_ssize_t *count, int *unbound_op)
{
    SharedChannel *c;
    shared_lock();
    ChannelProblem problem = channel_find(id, &c);
    if (!problem && count) *count = c->count;
    if (!problem && unbound_op) *unbound_op = c->unbound_op;
    shared_unlock();
    return problem;
}

/* An interpreter with both ends counts in `both` alone. As CPython has it, the one end that is still open names the counter. */
static void info_count_ends(SharedChannel *c, ChannelInfo *info)
{
    for (ChannelEnd *e = c->ends[CHANNEL_SEND - 1]; e; e = e->next) {
        EndState other = end_state(c, e->interp, CHANNEL_RECV);
        if (other == END_NONE) *(e->open ? &info->send : &info->send_released) += 1;
        else if (other == END_OPEN) *(e->open ? &info->both : &info->both_recv_released) += 1;
        else *(e->open ? &info->both_send_released : &info->both_released) += 1;
    }
    for (ChannelEnd *e = c->ends[CHANNEL_RECV - 1]; e; e = e->next)
        if (end_state(c, e->interp, CHANNEL_SEND) == END_NONE) *(e->open ? &info->recv : &info->recv_released) += 1;
}

ChannelProblem channel_info(int64_t id, int64_t interp, ChannelInfo *info)
{
    *info = (ChannelInfo){ 0 };
    shared_lock();
    SharedChannel *c = *channel_place(id);
    if (c && c->open) {
        info->closing = c->closing;
        info->open = !c->closing;
        info->count = c->count;
        info_count_ends(c, info);
        info->self_send = end_state(c, interp, CHANNEL_SEND);
        info->self_recv = end_state(c, interp, CHANNEL_RECV);
    }
    else if (c) info->closed = true;
    shared_unlock();
    return c ? CHANNEL_FINE : CHANNEL_NOT_FOUND;
}
