/* What a process and a user have here, over all their connections. Server thread. */
#include "transport/local/local_priv.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"

/* Processes that we cannot see are all number 0: each connection of theirs is taken for one. */
static struct local_account *find(struct local_server *server, uid_t uid, pid_t pid)
{
    SL_LIST_FOR(link, &server->accounts)
    {
        struct local_account *account = SL_CONTAINER(link, struct local_account, link);
        if (pid != 0 && account->uid == uid && account->pid == pid) {
            return account;
        }
    }
    struct local_account *account = sl_alloc(sizeof *account);
    if (account != NULL) {
        *account = (struct local_account){.uid = uid, .pid = pid};
        sl_list_add(&server->accounts, &account->link);
    }
    return account;
}

static void enter(struct local_account *account)
{
    if (account != NULL) {
        account->connections++;
    }
}

static void leave(struct local_account *account)
{
    if (account != NULL && --account->connections == 0) {
        sl_list_remove(&account->link);
        sl_free(account);
    }
}

/* Who could end the server anyway has no limit as a user. */
static bool is_limited(const struct local_client *client)
{
    return !local_is_own_user(client->uid);
}

static bool has_room(const struct local_client *client)
{
    const struct local_server *server = client->server;
    const struct local_server_options *o = &server->options;
    return server->connections < o->clients &&
           client->process->connections < o->clients_per_process &&
           (!is_limited(client) || client->owner->connections < o->clients_per_user);
}

enum sl_result local_account_join(struct local_client *client)
{
    struct local_server *server = client->server;
    const struct local_server_options *o = &server->options;
    client->process = find(server, client->uid, client->pid);
    client->owner = find(server, client->uid, LOCAL_WHOLE_USER);
    bool has_both = client->process != NULL && client->owner != NULL;
    enum sl_result r = !has_both ? SL_ERR_NOMEM : has_room(client) ? SL_OK : SL_ERR_INVALID;
    enter(client->process);
    enter(client->owner);
    if (r == SL_ERR_NOMEM) {
        local_account_leave(client);
        return r;
    }
    if (r != SL_OK) {
        sl_warn_limited("local",
                        "process %d, user %u: connection refused, %u of %u are open; a process may "
                        "have %u, another user %u",
                        (int)client->pid, (unsigned)client->uid, server->connections, o->clients,
                        o->clients_per_process, o->clients_per_user);
    }
    return r;
}

void local_account_leave(struct local_client *client)
{
    leave(client->process);
    leave(client->owner);
}

bool local_account_fits(const struct local_client *client, uint64_t size)
{
    const struct local_server_options *o = &client->server->options;
    uint64_t process = client->process->resource_bytes, user = client->owner->resource_bytes;
    bool fits = process <= o->resource_bytes && size <= o->resource_bytes - process;
    if (fits && is_limited(client)) {
        fits = user <= o->user_bytes && size <= o->user_bytes - user;
    }
    if (!fits) {
        sl_warn_limited("local",
                        "client %s (process %d, user %u): %llu bytes more exceed its limits: it "
                        "has %llu of %llu, its user %llu of %llu",
                        client->name, (int)client->pid, (unsigned)client->uid,
                        (unsigned long long)size, (unsigned long long)process,
                        (unsigned long long)o->resource_bytes, (unsigned long long)user,
                        (unsigned long long)o->user_bytes);
    }
    return fits;
}

void local_account_add(struct local_client *client, uint64_t size)
{
    client->process->resource_bytes += size;
    client->owner->resource_bytes += size;
    client->server->resource_bytes += size;
}

void local_account_take(struct local_client *client, uint64_t size)
{
    client->process->resource_bytes -= size;
    client->owner->resource_bytes -= size;
    client->server->resource_bytes -= size;
}
