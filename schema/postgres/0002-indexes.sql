-- 0002: indexes for speed, and nothing else: the Python backend runs with them and without. Each statement on one line.
-- No column of any length: PostgreSQL refuses rows whose index entry is over 2.7 KB.

-- Pages far down a list are counted off in the index alone.
CREATE INDEX IF NOT EXISTS webui_fcgi_chat_list ON chat (user_id, archived, updated_at) INCLUDE (pinned, folder_id, id);
CREATE INDEX IF NOT EXISTS webui_fcgi_chat_pinned ON chat (user_id, updated_at) WHERE pinned;

CREATE INDEX IF NOT EXISTS webui_fcgi_auth_email ON auth (email);
CREATE INDEX IF NOT EXISTS webui_fcgi_user_email ON "user" (email);
CREATE INDEX IF NOT EXISTS webui_fcgi_user_created ON "user" (created_at);
CREATE INDEX IF NOT EXISTS webui_fcgi_message_channel ON message (channel_id, parent_id, created_at);
CREATE INDEX IF NOT EXISTS webui_fcgi_message_parent ON message (parent_id);
CREATE INDEX IF NOT EXISTS webui_fcgi_message_reaction ON message_reaction (message_id);
CREATE INDEX IF NOT EXISTS webui_fcgi_channel_member_channel ON channel_member (channel_id);
CREATE INDEX IF NOT EXISTS webui_fcgi_channel_member_user ON channel_member (user_id);
CREATE INDEX IF NOT EXISTS webui_fcgi_file_user ON file (user_id, created_at);
CREATE INDEX IF NOT EXISTS webui_fcgi_folder_user ON folder (user_id);
CREATE INDEX IF NOT EXISTS webui_fcgi_feedback_user ON feedback (user_id);
CREATE INDEX IF NOT EXISTS webui_fcgi_note_user ON note (user_id, updated_at);
CREATE INDEX IF NOT EXISTS webui_fcgi_memory_user ON memory (user_id);
