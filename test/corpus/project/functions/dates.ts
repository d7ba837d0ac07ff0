import { addMonths, format, formatDistance, parseISO } from 'date-fns'
import dayjs from 'dayjs'
import { answerCase, type Cases } from '../answerCase.ts'

const day = '2024-02-29T12:00:00Z'

const cases: Cases = {
  dayjs: () => [
    dayjs(day).add(1, 'year').format(),
    dayjs(day).endOf('week').toISOString(),
    dayjs(day).diff('2020-01-01', 'day'),
  ],
  'date-fns': () => [format(parseISO(day), 'EEEE do MMMM yyyy HH:mm xxx'), addMonths(parseISO(day), 12).toISOString()],
  distance: () => formatDistance(0, parseISO(day), { addSuffix: true }),
}
export default answerCase(cases)
