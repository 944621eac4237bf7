"""Count what was looked for and not found, and say which areas lie side by side"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('area_beside',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('area_id', sa.Integer(), nullable=False),
    sa.Column('other_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.CheckConstraint('area_id < other_id', name=op.f('ck_area_beside_older_first')),
    sa.ForeignKeyConstraint(['area_id'], ['area.id'], name=op.f('fk_area_beside_area_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['other_id'], ['area.id'], name=op.f('fk_area_beside_other_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_area_beside')),
    sa.UniqueConstraint('area_id', 'other_id', name=op.f('uq_area_beside_area_id_other_id'))
    )
    with op.batch_alter_table('area_beside', schema=None) as batch_op:
        batch_op.create_index('ix_area_beside_other_id', ['other_id'], unique=False)

    op.create_table('search_gap',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('term', sa.String(length=40), nullable=False),
    sa.Column('area', sa.String(length=22), nullable=False),
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('said', sa.String(length=40), nullable=False),
    sa.Column('times', sa.Integer(), nullable=False),
    sa.Column('days', sa.Integer(), nullable=False),
    sa.Column('members', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_search_gap')),
    sa.UniqueConstraint('term', 'area', 'month', name=op.f('uq_search_gap_term_area_month'))
    )
    with op.batch_alter_table('search_gap', schema=None) as batch_op:
        batch_op.create_index('ix_search_gap_month', ['month'], unique=False)

    op.create_table('gap_mark',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('gap_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(length=10), nullable=False),
    sa.Column('mark', sa.String(length=24), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.ForeignKeyConstraint(['gap_id'], ['search_gap.id'], name=op.f('fk_gap_mark_gap_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gap_mark')),
    sa.UniqueConstraint('gap_id', 'kind', 'mark', name=op.f('uq_gap_mark_gap_id_kind_mark'))
    )
    op.create_table('gap_salt',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('salt', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(), nullable=False),
    sa.Column('updated_at', sa.DateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_gap_salt')),
    sa.UniqueConstraint('month', name=op.f('uq_gap_salt_month'))
    )


def downgrade() -> None:
    op.drop_table('gap_salt')
    op.drop_table('gap_mark')
    op.drop_table('search_gap')
    op.drop_table('area_beside')
