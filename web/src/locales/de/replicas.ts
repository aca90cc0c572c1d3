import type en from '../en/replicas'

export default {
  strip: 'Replikat {replica}: {role}',
  role: {
    LEADER: 'Leader',
    FOLLOWER: 'Follower',
    CANDIDATE: 'Kandidat',
    LEARNER: 'Learner',
    UNREACHABLE: 'nicht erreichbar',
  },
} satisfies typeof en
