"""Keep searches, and how a member wants to hear of what they find"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

CHANNEL = sa.Enum('now', 'daily', 'weekly', 'off', name='channel', native_enum=False, length=20)


def upgrade() -> None:
    op.create_table('notice_choice',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=30), nullable=False),
    sa.Column('channel', CHANNEL, nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_notice_choice_member_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice_choice')),
    sa.UniqueConstraint('member_id', 'kind', name=op.f('uq_notice_choice_member_id_kind'))
    )
    op.create_table('saved_search',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(length=22), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('want_id', sa.Integer(), nullable=True),
    sa.Column('same', sa.String(length=64), nullable=False),
    sa.Column('q', sa.String(length=128), nullable=False),
    sa.Column('boxes', sa.JSON(), nullable=False),
    sa.Column('how', CHANNEL, nullable=True),
    sa.Column('is_broad', sa.Boolean(), nullable=False),
    sa.Column('last_run_at', sa.DateTime(), nullable=True),
    sa.Column('due_at', sa.DateTime(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_saved_search_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['want_id'], ['want.id'], name=op.f('fk_saved_search_want_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_search')),
    sa.UniqueConstraint('member_id', 'same', name=op.f('uq_saved_search_member_id_same')),
    sa.UniqueConstraint('public_id', name=op.f('uq_saved_search_public_id'))
    )
    with op.batch_alter_table('saved_search', schema=None) as batch_op:
        batch_op.create_index('ix_saved_search_due_at', ['due_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_saved_search_want_id'), ['want_id'], unique=False)

    op.create_table('saved_match',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('saved_search_id', sa.Integer(), nullable=False),
    sa.Column('member_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=40), nullable=False),
    sa.Column('tell_at', sa.DateTime(), nullable=True),
    sa.Column('told_at', sa.DateTime(), nullable=True),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['member_id'], ['member.id'], name=op.f('fk_saved_match_member_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['saved_search_id'], ['saved_search.id'], name=op.f('fk_saved_match_saved_search_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_match')),
    sa.UniqueConstraint('saved_search_id', 'key', name=op.f('uq_saved_match_saved_search_id_key'))
    )
    with op.batch_alter_table('saved_match', schema=None) as batch_op:
        batch_op.create_index('ix_saved_match_member_id_told_at', ['member_id', 'told_at', 'tell_at'], unique=False)


def downgrade() -> None:
    op.drop_table('saved_match')
    op.drop_table('saved_search')
    op.drop_table('notice_choice')
