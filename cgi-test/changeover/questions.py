"""What the Python backend was asked about a sample, and what our server is asked: everything of it that can be read."""


def gets(who, *paths):
    return [{'as': who, 'method': 'GET', 'path': path} for path in paths]


def posts(who, path, body):
    return [{'as': who, 'method': 'POST', 'path': path, 'body': body}]


ANYBODY = (
    '/api/config', '/api/version', '/health', '/api/v1/auths/', '/api/v1/chats/', '/api/models'
)
CHAT_LISTS = (
    '/api/v1/chats/', '/api/v1/chats/?page=1', '/api/v1/chats/?page=2', '/api/v1/chats/list?include_folders=true', '/api/v1/chats/pinned',
    '/api/v1/chats/archived', '/api/v1/chats/archived?page=1', '/api/v1/chats/all', '/api/v1/chats/all/archived', '/api/v1/chats/all/tags',
    '/api/v1/chats/search?text=Frage', '/api/v1/chats/search?text=K%C3%A4se', '/api/v1/chats/search?text=tag:k%C3%BCche',
    '/api/v1/chats/search?text=tag:none', '/api/v1/chats/search?text=pinned:true', '/api/v1/chats/search?text=archived:true',
    '/api/v1/chats/search?text=folder:arbeit'
)
PERSON = (
    '/api/config', '/api/models', '/api/v1/auths/', '/api/v1/auths/api_key', '/api/v1/users/user/settings', '/api/v1/users/user/info',
    '/api/v1/users/permissions', '/api/v1/users/groups', '/api/v1/groups/', *CHAT_LISTS, '/api/v1/folders/', '/api/v1/prompts/',
    '/api/v1/prompts/list', '/api/v1/models/', '/api/v1/notes/', '/api/v1/notes/list', '/api/v1/channels/', '/api/v1/channels/list',
    '/api/v1/memories/', '/api/v1/evaluations/feedbacks/user', '/api/v1/functions/', '/api/v1/tools/', '/api/v1/tools/list', '/api/v1/knowledge/',
    '/api/v1/knowledge/list', '/api/v1/files/', '/api/v1/files/?content=false', '/api/v1/users/search?query=b', '/api/v1/configs/banners',
    '/api/v1/tasks/config', '/api/v1/auths/admin/details'
)
ADMIN = (
    '/api/v1/users/', '/api/v1/users/?query=ann', '/api/v1/users/all', '/api/v1/users/default/permissions', '/api/v1/auths/admin/config',
    '/api/v1/auths/admin/config/ldap', '/api/v1/auths/admin/config/ldap/server', '/api/v1/configs/export', '/api/v1/configs/connections',
    '/api/v1/configs/tool_servers', '/api/v1/configs/code_execution', '/api/v1/configs/models', '/openai/config', '/ollama/config', '/api/webhook',
    '/api/v1/audio/config', '/api/v1/images/config', '/api/v1/images/image/config', '/api/v1/retrieval/config', '/api/v1/retrieval/embedding',
    '/api/v1/evaluations/config', '/api/v1/evaluations/feedbacks/all', '/api/v1/evaluations/feedbacks/all/export', '/api/v1/models/base',
    '/api/v1/models/export', '/api/models/base', '/api/v1/functions/export', '/api/v1/tools/export', '/api/v1/chats/all/db'
)


def questions(ids):
    out = []
    for folder in ('work', 'sub'):      # first of all: the Python backend writes to folders when it lists them
        out += gets('ann', f'/api/v1/folders/{ids[folder]}', f'/api/v1/chats/folder/{ids[folder]}',
                f'/api/v1/chats/folder/{ids[folder]}/list') + gets('ben', f'/api/v1/folders/{ids[folder]}')
    out += gets('anon', *ANYBODY) + gets('pia', *ANYBODY) + gets('ann-old', '/api/v1/auths/', '/api/v1/chats/')
    for who in ('ann', 'ben', 'admin'):
        out += gets(who, *PERSON)
    out += gets('ann-exp', '/api/v1/auths/', '/api/v1/chats/') + gets('ann-key', '/api/v1/auths/', '/api/v1/chats/',
            '/api/models') + gets('admin-key', '/api/v1/users/')
    out += gets('admin', *ADMIN) + gets('ann', '/api/v1/users/', '/api/v1/configs/export', '/api/v1/models/base')
    for name in ('plain', 'branches', 'big', 'archived', 'pinned', 'tagged', 'shared', 'share', 'files', 'old', 'empty', 'in_folder', 'asked'):
        out += gets('ann', f'/api/v1/chats/{ids[name]}', f'/api/v1/chats/{ids[name]}/tags', f'/api/v1/chats/{ids[name]}/pinned')
    for who in ('ann', 'ben', 'admin', 'pia', 'anon'):
        out += gets(who, f'/api/v1/chats/share/{ids["share"]}', f'/api/v1/chats/{ids["plain"]}')
    out += gets('ben', *(f'/api/v1/chats/{ids[n]}' for n in ('cloned', 'bens')))
    out += posts('ann', '/api/v1/chats/tags', {'name': 'Küche'}) + posts('ann', '/api/v1/chats/tags', {'name': 'früher', 'skip': 0, 'limit': 10})
    for who in ('ann', 'ben', 'admin'):
        out += gets(who, *(f'/api/v1/prompts/command/{c}' for c in ('hallo', 'geheim', 'gruppe', 'ann')))
        out += gets(who, *(f'/api/v1/models/model?id={m}' for m in ('koch', 'nulls', 'bare', 'off', 'gone', 'stub-small', 'stub-slow', 'anns')))
        out += gets(who, *(f'/api/v1/notes/{ids[n]}' for n in ('note', 'private_note')))
        for c in ('channel', 'closed'):
            path = f'/api/v1/channels/{ids[c]}'
            out += gets(who, path, path + '/messages', f'{path}/messages/{ids["message"]}', f'{path}/messages/{ids["message"]}/thread',
                    f'{path}/messages/{ids["reply"]}')
        out += gets(who, f'/api/v1/knowledge/{ids["knowledge"]}', f'/api/v1/files/{ids["file"]}', f'/api/v1/files/{ids["file"]}/data/content',
                f'/api/v1/files/{ids["file"]}/process/status')
        out += gets(who, f'/api/v1/evaluations/feedback/{ids["feedback"]}', f'/api/v1/groups/id/{ids["group"]}',
                f'/api/v1/groups/id/{ids["empty_group"]}')
        out += gets(who, *(f'/api/v1/users/{ids[p]}' for p in ('admin', 'ann', 'ben', 'pia')), f'/api/v1/users/{ids["ann"]}/profile/image',
                f'/api/v1/users/{ids["ann"]}/groups', f'/api/v1/users/shared-{ids["shared"]}')
        out += gets(who, '/api/v1/models/model/profile/image?id=koch', '/api/v1/functions/id/polite', '/api/v1/tools/id/adder')
        out += gets(who, '/api/v1/functions/id/polite/valves', '/api/v1/functions/id/polite/valves/user', '/api/v1/tools/id/adder/valves',
                '/api/v1/tools/id/adder/valves/user')
    out += gets('admin', f'/api/v1/chats/list/user/{ids["ann"]}', f'/api/v1/chats/list/user/{ids["ben"]}?page=1')
    return out
