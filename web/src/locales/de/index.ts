import common from './common'
import expenses from './expenses'
import quickAdd from './quickAdd'
import filter from './filter'
import overview from './overview'
import categories from './categories'
import transfer from './transfer'
import replicas from './replicas'

export default { common, expenses, quickAdd, filter, overview, categories, transfer, replicas }
